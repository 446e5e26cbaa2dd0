"""The entries of HAProxy's map, without an HAProxy."""

from dataclasses import replace

import pytest
from strangler_proxy.routes import MoveRoutes, RouteTable, Upstream

from strangler.rollout.engines.base import NotCarried
from strangler.rollout.engines.haproxy_entries import entries, read, settled

MOVE = MoveRoutes(
    move="0001_reviews",
    term=2,
    n=0,
    owner="reviews",
    candidate="monolith",
    weight=0,
    routes=("/api/reviews/", "/api/products/<pk>/reviews/"),
    final=True,
)
TABLE = RouteTable(
    default="monolith",
    upstreams=(
        Upstream(name="monolith", url="http://monolith:8001"),
        Upstream(name="reviews", url="http://reviews:8002", identity=True),
    ),
    moves=(MOVE,),
)
ADDRESSES = {"monolith": ("10.0.0.1", 8001), "reviews": ("10.0.0.2", 8002)}


def of(table):
    return entries(table, settled(table, name="HAProxy", companion=True), ADDRESSES)


def routes(table):
    return {key: value for key, value in of(table).items() if not key.startswith("@table")}


def test_a_final_move_is_routed_in_all_and_asks_the_companion_for_identities_alone():
    straight, default = "ka|10.0.0.2|8002|0||;wa|10.0.0.2|8002|0|0001_reviews|", "d|10.0.0.1|8001|0||"
    assert routes(TABLE) == {
        "@/api": "-",
        "@/api/reviews": straight,
        "@/api/products": "-",
        "@/api/products/<>": "-",
        "@/api/products/<>/reviews": straight,
        "@default": f"{default};{default}",
        "@ambiguous": f"{default};{default}",
        "/": f"{default};{default}",
        "/api/": f"{default};{default}",
        "/api/reviews/": straight,
        "/api/products/": "lua",
        "/api/products/?": f"{default};{default}",
    }


def test_of_a_move_that_goes_on_the_writes_go_to_the_companion_and_of_its_canary_the_cohorts():
    canary = replace(MOVE, final=False, owner="monolith", candidate="reviews", weight=1_200)
    assert routes(replace(TABLE, moves=(canary,)))["/api/reviews/"] == "s|10.0.0.1|8001|2400||;c|||0||companion"
    shadowed = replace(canary, weight=0, shadow=1)
    assert routes(replace(TABLE, moves=(shadowed,)))["/api/reviews/"] == "c|||0||companion;c|||0||companion"


def test_an_operators_own_backend_is_named():
    found = entries(TABLE, settled(TABLE, name="HAProxy", companion=True), ADDRESSES, own=["reviews"])
    assert found["/api/reviews/"] == "ka|10.0.0.2|8002|0||to_reviews;wa|10.0.0.2|8002|0|0001_reviews|to_reviews"
    assert found["@default"].endswith("||")


def test_a_placeholder_above_is_asked_for_only_where_no_literal_pattern_holds():
    found = routes(replace(TABLE, moves=(replace(MOVE, routes=("/a/b/c/", "/a/<x>/d/", "/a/b/", "/e/f/")),)))
    assert "reviews" in found["/a/b/c/"]
    assert "reviews" in found["/a/b/"]
    assert found["/a/"] == "lua"
    assert found["/a/?"] == found["/e/"] == found["/"] == found["@default"]
    found = routes(replace(TABLE, moves=(replace(MOVE, routes=("/a/b/c/", "/a/<x>/d/")),)))
    assert found["/a/b/"] == "lua"


def test_the_table_is_read_back_whatever_its_size():
    many = replace(MOVE, routes=tuple(f"/area{number}/<pk>/" for number in range(2_000)), ignore=("header date",))
    for table in (TABLE, replace(TABLE, moves=()), replace(TABLE, moves=(many,))):
        assert read(of(table)) == (table, ADDRESSES, [])


@pytest.mark.parametrize("number", [0, 1])
def test_a_piece_that_is_missing_or_another_one_is_no_table(number):
    many = replace(MOVE, routes=tuple(f"/area{number}/<pk>/" for number in range(300)))
    found = of(replace(TABLE, moves=(many,)))
    for broken in ({**found, f"@table.{number}": "bm9uc2Vuc2U="}, {**found, f"@table.{number}": "<>"}):
        with pytest.raises((ValueError, KeyError)):
            read(broken)
    del found[f"@table.{number}"]
    with pytest.raises((ValueError, KeyError)):
        read(found)


def test_without_a_companion_what_goes_on_is_refused_by_name():
    live = replace(TABLE, moves=(replace(MOVE, final=False),))
    with pytest.raises(
        NotCarried, match=r'HAProxy does not do by itself what the route "/api/.*" of move "0001_reviews"'
    ):
        settled(live, name="HAProxy", companion=False)
