"""The route table, and the decision over it, beside a naive matcher that tries every pattern."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strangler_proxy.routes import (
    BUCKETS,
    CANDIDATE,
    CONTROL,
    EARLY,
    MoveRoutes,
    RouteTable,
    Upstream,
    bucket,
    decide,
    older,
)

KEY_OF = {bucket(str(n)): str(n) for n in range(200_000)}
MONOLITH = Upstream(name="monolith", url="http://127.0.0.1:8001")
REVIEWS = Upstream(name="reviews", url="http://127.0.0.1:8002", identity=True)
ORDERS = Upstream(name="orders", url="http://127.0.0.1:8003", identity=True)


def move(name="0001_reviews", routes=("/api/reviews/", "/api/products/<pk>/reviews/"), **changes):
    given = {"move": name, "term": 1, "n": 0, "owner": "monolith", "candidate": "reviews", "weight": 0}
    return MoveRoutes(**{**given, "routes": tuple(routes), **changes})


def table(*moves):
    return RouteTable(default="monolith", upstreams=(MONOLITH, REVIEWS, ORDERS), moves=moves)


@pytest.mark.parametrize(
    ("path", "moved"),
    [
        ("/api/reviews/", True),
        ("/api/reviews", True),
        ("/api/reviews/12/votes/", True),
        ("/api/reviews/?product=3", True),
        ("/api/products/12/reviews/", True),
        ("/api/products/12/reviews/?page=2", True),
        ("http://shop.example/api/reviews/", True),
        ("/api/%72eviews/", True),
        ("/api/reviewsandmore/", False),
        ("/api/products/12/", False),
        ("/api/products/12/13/reviews/", False),
        ("/", False),
        ("*", False),
        # What could be read differently by somebody else is the monolith's.
        ("/api/reviews/../orders/", False),
        ("/api/./reviews/", False),
        ("/api/%2e%2e/api/reviews/", False),
        ("/api//reviews/", False),
        ("//api/reviews/", False),
        ("/api/products/1%2F2/reviews/", False),
        ("/api/products/1%5c2/reviews/", False),
        ("/api/reviews//", False),
    ],
)
def test_patterns_match_whole_segments(path, moved):
    assert (decide(table(move()), "GET", path, "somebody").move is not None) is moved


def test_writes_go_to_the_owner_and_reads_by_bucket():
    canary = table(move(weight=5_000))
    inside = next(str(n) for n in range(100) if bucket(str(n)) < 5_000)
    outside = next(str(n) for n in range(100) if bucket(str(n)) >= 5_000)
    assert decide(canary, "GET", "/api/reviews/", inside).upstream == "reviews"
    assert decide(canary, "HEAD", "/api/reviews/", outside).upstream == "monolith"
    for method in ("POST", "PUT", "PATCH", "DELETE", "PURGE", "post"):
        assert decide(canary, method, "/api/reviews/", inside).upstream == "monolith"


@given(st.text(), st.integers(0, BUCKETS))
def test_a_client_stays_on_its_side_and_the_share_grows_with_the_weight(key, weight):
    canary = table(move(weight=weight))
    side = decide(canary, "GET", "/api/reviews/", key).upstream
    assert side == ("reviews" if bucket(key) < weight else "monolith")
    if side == "reviews" and weight < BUCKETS:
        assert decide(table(move(weight=weight + 1)), "GET", "/api/reviews/", key).upstream == "reviews"


@given(st.integers(1, BUCKETS))
def test_the_control_is_as_large_as_the_candidates_share_as_far_as_there_are_so_many(weight):
    canary = table(move(weight=weight))
    for number in {edge + step for edge in (0, weight, 2 * weight, BUCKETS) for step in (-1, 0)} & KEY_OF.keys():
        decision = decide(canary, "GET", "/api/reviews/", KEY_OF[number])
        expected = CANDIDATE if number < weight else CONTROL if number < 2 * weight else ""
        assert decision.cohort == expected
        assert (decision.cohort == CANDIDATE) is (decision.upstream == "reviews")


@given(st.text(), st.integers(0, BUCKETS), st.sampled_from(["GET", "POST"]))
def test_who_may_lack_a_write_at_the_candidate_reads_from_the_owner_and_is_not_counted(key, weight, method):
    decision = decide(table(move(weight=weight)), method, "/api/reviews/", key, behind=lambda name: True)
    assert (decision.upstream, decision.cohort) == ("monolith", "")


def test_writes_and_reads_outside_of_a_canary_are_of_no_cohort():
    assert decide(table(move(weight=BUCKETS)), "POST", "/api/reviews/", "x").cohort == ""
    assert decide(table(move(weight=0)), "GET", "/api/reviews/", "x").cohort == ""


def test_the_bucket_is_the_one_of_other_engines():
    assert bucket("orchard") == zlib.crc32(b"orchard") % 10_000


@given(
    st.text(), st.binary(max_size=20), st.integers(0, BUCKETS), st.sampled_from(["cookie:tenant", "header:X-Tenant"])
)
def test_a_key_of_the_requests_own_decides_alone_and_by_the_same_bucket(client_key, raw, weight, key):
    value = raw.translate(None, b";,= \t\r\n\v\f") or b"acme"
    field = (b"x-tenant", value) if key.startswith("header") else (b"Cookie", b"a=1; tenant=" + value + b"; b=2")
    decision = decide(table(move(weight=weight, key=key)), "GET", "/api/reviews/", client_key, fields=(field,))
    assert (decision.cohort == CANDIDATE) is (zlib.crc32(value) % BUCKETS < weight)


@pytest.mark.parametrize(
    "fields",
    [
        (),
        ((b"X-Tenant", b""),),
        ((b"X-Tenant", b"a"), (b"x-tenant", b"b")),
        ((b"X_Tenant", b"a"),),
        ((b"Cookie", b"X-Tenant=a"),),
    ],
)
def test_who_has_no_key_or_an_unclear_one_stays_with_the_owner_and_is_not_counted(fields):
    by_tenant = table(move(weight=BUCKETS, key="header:X-Tenant"))
    decision = decide(by_tenant, "GET", "/api/reviews/", "x", fields=fields)
    assert (decision.upstream, decision.cohort) == ("monolith", "")


MARKS = ("header:X-Beta=1", "cookie:beta=yes", "staff")


@given(st.text(), st.integers(0, BUCKETS), st.sampled_from([((b"x-beta", b"1"),), ((b"Cookie", b"beta=yes"),), ()]))
def test_who_comes_early_is_the_candidates_at_every_weight(key, weight, fields):
    early = table(move(weight=weight, early=MARKS))
    decision = decide(early, "GET", "/api/reviews/", key, fields=fields, staff=lambda move: not fields)
    assert (decision.upstream, decision.cohort) == ("reviews", EARLY)
    other = decide(early, "GET", "/api/reviews/", key, fields=((b"X-Beta", b"2"), (b"cookie", b"beta=no")))
    assert other == decide(table(move(weight=weight)), "GET", "/api/reviews/", key)


def test_who_comes_early_still_writes_to_the_owner_and_reads_what_was_written_there():
    early, marked = table(move(early=MARKS)), ((b"X-Beta", b"1"),)
    assert decide(early, "POST", "/api/reviews/", "x", fields=marked).upstream == "monolith"
    behind = decide(early, "GET", "/api/reviews/", "x", lambda name: True, fields=marked)
    assert (behind.upstream, behind.cohort) == ("monolith", "")


def test_the_staff_is_asked_for_only_where_that_decides():
    def nobody_asks(move):
        raise AssertionError

    early = table(move(early=MARKS))
    decide(early, "GET", "/api/reviews/", "x", fields=((b"X-Beta", b"1"),), staff=nobody_asks)
    decide(early, "POST", "/api/reviews/", "x", staff=nobody_asks)
    decide(table(move(early=MARKS[:2])), "GET", "/api/reviews/", "x", staff=nobody_asks)
    assert (early.asks_for_staff, table(move(early=MARKS[:2])).asks_for_staff) == (True, False)


def test_a_canary_may_be_of_some_routes_and_methods_alone():
    some = table(move(weight=BUCKETS, only_routes=("/api/products/<pk>/reviews/",), only_methods=("GET",)))
    inside = decide(some, "GET", "/api/products/7/reviews/", "x")
    assert (inside.upstream, inside.settled) == ("reviews", False)
    for method, path in (("GET", "/api/reviews/"), ("HEAD", "/api/products/7/reviews/")):
        outside = decide(some, method, path, "x")
        assert (outside.upstream, outside.cohort, outside.settled) == ("monolith", "", True)


segments = st.sampled_from(["a", "b", "c"])
parts = st.lists(st.one_of(segments, st.just("<x>")), min_size=1, max_size=4)


@st.composite
def tables(draw):
    patterns = draw(st.lists(parts, min_size=1, max_size=6, unique_by=tuple))
    return table(*(move(f"m{n}", ["/" + "/".join(pattern) + "/"]) for n, pattern in enumerate(patterns)))


@given(tables(), st.lists(segments, max_size=5))
def test_the_tree_finds_what_trying_every_pattern_finds(given_table, path):
    def matches(pattern):
        return len(pattern) <= len(path) and all(a in ("<x>", b) for a, b in zip(pattern, path, strict=False))

    patterns = {tuple(m.routes[0].strip("/").split("/")): m.move for m in given_table.moves}
    best = None
    for pattern in filter(matches, patterns):
        # Literal before placeholder at the first place where two differ, then longer before shorter.
        if best is None or [p == "<x>" for p in pattern] + [True] * (9 - len(pattern)) < [p == "<x>" for p in best] + [
            True
        ] * (9 - len(best)):
            best = pattern
    found = given_table.move_of("/" + "/".join(path))
    assert (found.move if found else None) in {patterns.get(best), *_equally_good(patterns, best, matches)}


def _equally_good(patterns, best, matches):
    """Deeper patterns that begin with the best one's segments are as specific at every place they share."""
    if best is None:
        return set()
    return {m for p, m in patterns.items() if matches(p) and p[: len(best)] == best}


@given(tables())
def test_a_table_survives_its_json(given_table):
    assert RouteTable.from_json(given_table.to_json()) == given_table


def test_an_older_version_is_told_by_term_first():
    assert older(table(move(term=2, n=0)), table(move(term=1, n=9)))
    assert older(table(move(term=2, n=3)), table(move(term=2, n=2)))
    assert not older(table(move(term=2, n=3)), table(move(term=3, n=0)))
    assert not older(table(move()), table(move()))
    assert not older(table(move()), table())


def test_what_is_final_stays_so():
    assert older(table(move(final=True)), table(move())) == [
        'move "0001_reviews" is final and was offered as one that is not'
    ]
    assert not older(table(move()), table(move(final=True)))


@pytest.mark.parametrize(
    ("moves", "error"),
    [
        ([move(owner="nobody")], 'names the upstream "nobody"'),
        ([move(weight=10_001)], "from 0 to 10000"),
        ([move(weight=-1)], "whole number"),
        ([move(weight=True)], "whole number"),
        ([move(shadow_writes=10_001)], "the shadow_writes of move .* from 0 to 10000"),
        ([move(owner="reviews")], "on both sides"),
        ([move(final=1)], 'move "0001_reviews" is final: 1; write true or false'),
        ([move(final=True, weight=1)], 'is final, and still sends requests to "reviews"'),
        ([move(final=True, shadow_writes=1)], 'is final, and still sends requests to "reviews"'),
        ([move(final=True, shadow=1)], 'is final, and still sends requests to "reviews"'),
        ([move(routes=())], "has no routes"),
        ([move(routes=("/api/reviews",))], 'begin and end with "/"'),
        ([move(routes=("/",))], "which is the monolith"),
        ([move(routes=("/a b/",))], 'the segment "a b"'),
        ([move(routes=("/../",))], r'the segment "\.\."'),
        ([move(key="cookie")], '"cookie" is none of "client", "cookie:<name>"'),
        ([move(key="cookie:a b")], "names no cookie"),
        ([move(key="header:")], "names no header"),
        ([move(key="header:X_Tenant")], 'servers read as "-"'),
        ([move(key="header:Cookie")], 'name one, as in "cookie:sessionid"'),
        ([move(key="header:Traceparent")], "changes from request to request"),
        ([move(key="header:X-Forwarded-For")], "changes from request to request"),
        ([move(key="cookie:strangler_wrote.0001_reviews")], "of the proxy's own"),
        ([move(early=("header:X-Beta",))], "no value that a request could bear"),
        ([move(early=("cookie:beta=a;b",))], "no value that a request could bear"),
        ([move(early=("header:Referer=x",))], "changes from request to request"),
        ([move(early=("everybody",))], '"everybody" is none of "staff"'),
        ([move(only_routes=("/api/orders/",))], 'names "/api/orders/", which is none of the routes'),
        ([move(only_methods=("POST",))], '"only_methods" names "POST"; reads alone'),
        ([move(), move()], 'the move "0001_reviews" stands twice'),
        ([move(), move("0002_x")], "claimed by move"),
        ([move(routes=("/a/<x>/",)), move("0002_x", routes=("/a/<other>/",))], "claimed by move"),
    ],
)
def test_a_bad_table_is_refused_in_one_sentence(moves, error):
    with pytest.raises(ValueError, match=error):
        table(*moves)


@pytest.mark.parametrize("url", ["https://x:1", "http://x", "http://:80", "ftp://x:1", "http://x:1/path", "", 7])
def test_an_upstream_is_plain_http_with_a_port(url):
    with pytest.raises(ValueError, match="http://host:port"):
        RouteTable(default="a", upstreams=(Upstream(name="a", url=url),))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"default": "a", "upstreams": []}', '{"default": 1, "upstreams": {}}']
)
def test_what_is_no_table_is_refused(text):
    with pytest.raises(ValueError, match=r"route table|default upstream"):
        RouteTable.from_json(text)
