"""What an engine carries, and its companion's decision after it, beside decide() alone."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import strangler_proxy
from hypothesis import given, settings
from hypothesis import strategies as st
from strangler_proxy.gateway import Gateway, Policy, Throttle
from strangler_proxy.gateway.policies import AmbiguousPath
from strangler_proxy.routes import BUCKETS, MoveRoutes, RouteTable, Upstream, bucket, decide

import strangler
from strangler.rollout.engines.base import EngineError
from strangler.rollout.engines.compiling import COMPANION, INNER, Feature, settle

ALL = frozenset(Feature) - {Feature.CANARY, Feature.GATEWAY, Feature.SHADOW}
NOTHING = frozenset[Feature]()
KEYS = [next(str(n) for n in range(10**6) if bucket(str(n)) // 1_000 == part) for part in range(10)]
UPSTREAMS = (
    Upstream(name="monolith", url="http://127.0.0.1:8001"),
    Upstream(name="reviews", url="http://127.0.0.1:8002", identity=True),
    Upstream(name="orders", url="http://127.0.0.1:8003"),
)


def move(name="0001_reviews", routes=("/api/reviews/",), **changes):
    given = {"move": name, "term": 1, "n": 0, "owner": "monolith", "candidate": "orders", "weight": 0}
    return MoveRoutes(**{**given, "routes": tuple(routes), **changes})


def table(*moves, default="monolith", policies=()):
    return RouteTable(default=default, upstreams=UPSTREAMS, moves=moves, gateway=Gateway(policies=tuple(policies)))


def policy(path, *methods):
    return Policy(path=path, methods=methods, throttle=(Throttle(rate=1),))


def settled(*moves, can=NOTHING, companion=True):
    return settle(table(*moves), engine="nginx", can=can, companion=companion)


parts = st.sampled_from(["a", "b", "1.x", "<x>"])
ODD_PARTS = ["..", ".", "%2e", ".%2E", "", "a%2fb", "%5C", "a\\b", "%00", "é", "%C3%A9", "%", "c"]
queries = st.sampled_from(["", "/", "?x=1", "/?next=//b/../", "#a"])
# Most engines do all of these but one or two, so that a good part of the requests goes direct.
abilities = st.frozensets(st.sampled_from(sorted(Feature, key=str)), max_size=2).map(
    lambda lacking: ALL - {Feature.PATHS} - lacking
)


@st.composite
def paths(draw, given_table):
    """Mostly paths under the table's patterns, or nearly so, some of them encoded or with what is odd between."""
    pattern = draw(st.sampled_from([route for each in given_table.moves for route in each.routes]))
    written = [draw(parts) if part == "<x>" else part for part in pattern.strip("/").split("/")]
    if draw(st.booleans()):
        written.insert(draw(st.integers(0, len(written))), draw(st.sampled_from(ODD_PARTS)))
    if draw(st.booleans()):
        at = draw(st.integers(0, len(written) - 1))
        written[at] = "".join(f"%{byte:02x}" if draw(st.booleans()) else chr(byte) for byte in written[at].encode())
    return "/" + "/".join([*written, *draw(st.lists(parts, max_size=1))])


@st.composite
def tables(draw):
    patterns = draw(st.lists(st.lists(parts, min_size=1, max_size=3), min_size=1, max_size=6, unique_by=tuple))
    moves = []
    for number, pattern in enumerate(patterns):
        owner, candidate = draw(st.permutations(["monolith", "reviews", "orders"]).map(lambda names: names[:2]))
        final = draw(st.booleans())
        share = st.just(0) if final else st.sampled_from([0, 0, 1, 2_000, 4_999, 5_000, BUCKETS])
        moves.append(
            move(
                f"m{number}",
                ["/" + "/".join(pattern) + "/"],
                owner=owner,
                candidate=candidate,
                final=final,
                weight=draw(share),
                shadow=draw(share),
                key=draw(st.sampled_from(["client", "client", "header:X-Shop"])),
                early=() if final else draw(st.sampled_from([(), (), ("header:X-Early=1",)])),
                only_routes=draw(st.sampled_from([(), ("/" + "/".join(pattern) + "/",)])),
                only_methods=draw(st.sampled_from([(), ("GET", "HEAD")])),
            )
        )
    methods = st.sampled_from([(), ("GET",), ("POST", "PUT"), ("GET", "DELETE")])
    shaped = st.lists(parts, max_size=3).map(lambda pattern: "/" + "".join(f"{part}/" for part in pattern))
    paths = draw(st.one_of(st.just([]), st.lists(shaped, max_size=2, unique=True)))
    policies = [policy(path, *draw(methods)) for path in paths]
    return table(*moves, default=draw(st.sampled_from(["monolith", "reviews"])), policies=policies)


def gated(given_table, method, path):
    try:
        return given_table.gateway.policy(method, path) is not None
    except AmbiguousPath:
        return True


@settings(max_examples=400)
@given(st.data(), tables(), abilities, st.sampled_from(["GET", "HEAD", "OPTIONS", "POST", "DELETE", "get", "PURGE"]))
def test_the_engine_and_then_its_companion_send_each_request_where_decide_alone_does(data, given_table, can, method):
    path, query = data.draw(paths(given_table)), data.draw(queries)
    key, credentials = data.draw(st.sampled_from([None, *KEYS])), data.draw(st.booleans())
    behind = data.draw(st.booleans())
    can |= data.draw(st.sampled_from([NOTHING, {Feature.PATHS}]))
    carried = settle(given_table, engine="nginx", can=can, companion=True)
    header = data.draw(st.sampled_from([(), ((b"X-Early", b"1"),), ((b"X-Shop", (key or "").encode()),)]))
    decision = decide(given_table, method, path + query, key or "given anew", lambda name: behind, fields=header)
    gone_to = carried.goes(method, path + query, key, credentials=credentials)
    found = given_table.move_of(path + query)
    if gone_to != COMPANION:
        assert gone_to == decision.upstream
        assert not gated(given_table, method, path + query)
    if found is None or gone_to == COMPANION:
        return
    # What the companion alone does was left to it.
    reads = method.upper() in ("GET", "HEAD", "OPTIONS")
    assert reads or found.final or Feature.TRANSITION in can
    assert not (reads and found.shadow) or decision.settled or Feature.SHADOW in can
    assert not decision.cohort
    if given_table.upstream(gone_to).identity and credentials:
        assert Feature.IDENTITY in can


@pytest.mark.parametrize(
    "odd",
    [
        *(f"/a/{part}/b" for part in ["", ".", "..", "%2e.", ".%2E", "%2f", "x%2Fy", "%5c", "\\", "%5C", "%00"]),
        *("//a", "/a//", "/a/..", "/%61", "/a%5F%7E%2D%6A%5A"),
        *(f"/a%{ord(sign):02x}" for sign in "09AOPZaopz-._~"),
    ],
)
def test_an_engine_that_compares_what_was_sent_leaves_what_is_odd_to_its_companion(odd):
    carried = settled(move(routes=["/a/"], final=True))
    assert carried.goes("GET", f"{odd}?x", None, credentials=False) == COMPANION


@pytest.mark.parametrize("path", ["/a", "/a/", "/a/b.c/...", "/a/.x", "/a/%C3%A9%20%zz", "/a?//../%61"])
def test_what_is_not_odd_goes_direct(path):
    carried = settled(move(routes=["/a/"], owner="orders", candidate="monolith", final=True))
    assert carried.goes("GET", path, None, credentials=False) == "orders"


def test_of_a_canary_only_its_cohorts_and_clients_without_a_key_need_the_companion():
    carried = settled(move(weight=500), can=frozenset({Feature.BUCKETS, Feature.PATHS}))
    in_cohorts, others = KEYS[0], KEYS[1]
    assert carried.goes("GET", "/api/reviews/", in_cohorts, credentials=False) == COMPANION
    assert carried.goes("GET", "/api/reviews/", None, credentials=False) == COMPANION
    assert carried.goes("GET", "/api/reviews/", others, credentials=False) == "monolith"


def test_routes_that_a_canary_leaves_out_go_direct():
    shared = move(routes=["/a/", "/b/"], weight=BUCKETS, shadow=1, early=("header:X-Early=1",), only_routes=("/a/",))
    assert settled(shared, can=ALL).goes("GET", "/a/", KEYS[9], credentials=False) == COMPANION
    assert settled(shared, can=ALL).goes("GET", "/b/", None, credentials=False) == "monolith"


def test_what_is_final_goes_its_way_without_a_companion_and_its_writes_say_whose_they_are():
    carried = settled(
        move(owner="orders", candidate="monolith", final=True),
        can=frozenset({Feature.PATHS, Feature.MARKS}),
        companion=False,
    )
    (route,) = carried.routes
    assert (route.reads.upstream, route.reads.direct, route.reads.move) == ("orders", True, "")
    assert (route.writes.upstream, route.writes.direct, route.writes.move) == ("orders", True, "0001_reviews")
    assert not list(carried.needs)


@pytest.mark.parametrize(
    ("asking", "feature"),
    [
        (move(), Feature.TRANSITION),
        (move(weight=1), Feature.CANARY),
        (move(early=("header:X-Early=1",)), Feature.CANARY),
        (move(weight=1, key="header:X-Shop"), Feature.CANARY),
        (move(shadow=1), Feature.SHADOW),
        (move(routes=["/api/reviews/", "/api/<pk>/"], final=True), Feature.PLACEHOLDERS),
        (move(final=True), Feature.MARKS),
        (move(owner="reviews", final=True), Feature.IDENTITY),
    ],
)
def test_what_needs_a_companion_is_refused_without_one_by_route_and_feature(asking, feature):
    can = set(Feature) - {feature, Feature.BUCKETS}
    with pytest.raises(EngineError) as refused:
        settle(table(asking), engine="nginx", can=frozenset(can), companion=False)
    assert str(refused.value) == (
        f'nginx does not do by itself what the route "{asking.routes[-1]}" of move "0001_reviews" asks for '
        f"({feature.value}); give it a companion, a Python proxy"
    )
    assert settle(table(asking), engine="nginx", can=frozenset(can), companion=True)


def test_an_engine_that_does_not_know_odd_paths_needs_a_companion_as_soon_as_there_are_routes():
    final = move(final=True)
    with pytest.raises(EngineError, match=r"what any path asks for \(telling apart the paths that can be read"):
        settled(final, can=frozenset({Feature.MARKS}), companion=False)
    assert settled(companion=False).goes("GET", "/a/%2e%2e/b", None, credentials=True) == "monolith"


def test_every_field_that_only_a_proxy_may_say_is_known_to_engines_that_cannot_take_out_all_that_begin_so():
    packages = (Path(strangler_proxy.__file__).parent, Path(strangler.__file__).parent)
    said = {
        name.lower()
        for package in packages
        for source in package.rglob("*.py")
        for name in re.findall(r"Strangler-[A-Z][A-Za-z-]*[a-z]", source.read_text())
    }
    assert said <= {name.lower() for name in INNER}


def test_every_part_of_a_table_is_thought_of_here():
    """A new one is carried by all compiled engines, or sent to the companion: then it may stand in this list."""
    known = {
        MoveRoutes: "move term n owner candidate weight routes shadow shadow_writes ignore key early "
        "only_routes only_methods final",
        Upstream: "name url identity",
        RouteTable: "default upstreams moves gateway _tree _upstreams _moves",
    }
    assert {kind: " ".join(field.name for field in fields(kind)) for kind in known} == known


def test_what_a_policy_holds_for_goes_to_the_companion_and_the_rest_of_the_route_does_not():
    final = move(routes=["/api/reviews/"], owner="orders", candidate="monolith", final=True)
    for_votes = settle(
        table(final, policies=[policy("/api/reviews/<pk>/votes/")]), engine="nginx", can=ALL, companion=True
    )
    assert for_votes.goes("GET", "/api/reviews/1/votes/", None, credentials=False) == COMPANION
    assert for_votes.goes("GET", "/api/reviews/1/", None, credentials=False) == "orders"
    for_writes = settle(table(final, policies=[policy("/api/", "POST")]), engine="nginx", can=ALL, companion=True)
    assert for_writes.goes("POST", "/api/reviews/", None, credentials=False) == COMPANION
    assert for_writes.goes("GET", "/api/reviews/", None, credentials=False) == "orders"
    assert for_writes.goes("GET", "/", None, credentials=False) == "monolith"
    assert for_writes.goes("GET", "/api/../", None, credentials=False) == COMPANION
    with pytest.raises(EngineError, match=r'what the route "/api/" asks for \(policies of the gateway\)'):
        settle(table(policies=[policy("/api/")]), engine="nginx", can=ALL, companion=False)
