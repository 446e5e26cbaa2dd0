from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strangler_proxy.routes import decide

from strangler.plans.errors import PlanError
from strangler.plans.routes import route_table
from strangler.plans.state import ProjectState, Routed, Sharing
from strangler.split import Side
from strangler.split.status import Routing
from tests.unit.strangler.plans.fake_world import schema

UPSTREAMS = {"monolith": "http://127.0.0.1:8001", "reviews": "http://127.0.0.1:8002"}
STATE = ProjectState(schema=schema(), routed=(Routed(plan="0001_reviews", service="reviews", pattern="/api/reviews/"),))


def table(owner, weight=0, term=3, n=2):
    routing = Routing(owner=owner, term=term, n=n, weight=weight)
    return route_table(STATE, {"0001_reviews": routing}, UPSTREAMS)


def test_a_move_that_is_not_set_up_has_no_routes_of_its_own():
    assert route_table(STATE, {"0001_reviews": None}, UPSTREAMS).moves == ()


def test_a_plan_that_moves_no_routes_has_none():
    routing = Routing(owner=Side.SOURCE, term=1, n=0, weight=0)
    assert route_table(replace(STATE, routed=()), {"0001_reviews": routing}, UPSTREAMS).moves == ()


@pytest.mark.parametrize(
    ("owner", "name", "other"), [("source", "monolith", "reviews"), ("target", "reviews", "monolith")]
)
def test_writes_follow_the_owner_in_the_databases(owner, name, other):
    made = table(Side(owner))
    (move,) = made.moves
    assert (move.owner, move.candidate, move.version) == (name, other, (3, 2))
    assert decide(made, "POST", "/api/reviews/", "anybody").upstream == name
    assert decide(made, "GET", "/basket/", "anybody").upstream == "monolith"


@given(st.sampled_from(Side), st.integers(0, 10_000), st.text())
def test_reads_go_to_the_other_side_by_the_weight_and_writes_never_do(owner, weight, client):
    made = table(owner, weight)
    (move,) = made.moves
    assert decide(made, "POST", "/api/reviews/", client).upstream == move.owner
    reads = decide(made, "GET", "/api/reviews/7/", client).upstream
    assert reads in (move.owner, move.candidate)
    if weight in (0, 10_000):
        assert reads == (move.candidate if weight else move.owner)


def test_only_services_need_the_clients_identity():
    assert {upstream.name: upstream.identity for upstream in table(Side.SOURCE).upstreams} == {
        "monolith": False,
        "reviews": True,
    }


def test_settings_from_which_no_table_follows_are_one_sentence():
    with pytest.raises(PlanError, match=r'no route table follows .* "reviews.example" of upstream "reviews"'):
        route_table(STATE, {}, {**UPSTREAMS, "reviews": "reviews.example"})


@pytest.mark.parametrize(("early", "marks"), [(False, ()), (True, ("staff",))])
def test_the_plans_way_to_share_reads_is_in_the_table_and_who_comes_early_only_meanwhile(early, marks):
    sharing = Sharing(
        shadow_writes=100,
        key="cookie:sessionid",
        early=("staff",),
        only_methods=("GET",),
        only_routes=("/api/reviews/",),
    )
    state = replace(STATE, routed=(replace(STATE.routed[0], sharing=sharing),))
    routing = Routing(owner=Side.SOURCE, term=1, n=1, weight=0, early=early)
    (move,) = route_table(state, {"0001_reviews": routing}, UPSTREAMS).moves
    assert move.shadow_writes == 0
    assert (move.key, move.early) == ("cookie:sessionid", marks)
    assert (move.only_methods, move.only_routes) == (("GET",), ("/api/reviews/",))


def test_writes_are_rehearsed_as_long_as_reads_are_shadowed():
    state = replace(STATE, routed=(replace(STATE.routed[0], sharing=Sharing(shadow_writes=100)),))
    shadowed = Routing(owner=Side.SOURCE, term=1, n=1, weight=0, shadow=50)
    (move,) = route_table(state, {"0001_reviews": shadowed}, UPSTREAMS).moves
    assert (move.shadow, move.shadow_writes) == (50, 100)
