"""What a plan's view is made of."""

from strangler.dashboard.parts import VERDICTS, routes_of, tables_of, verdicts_of
from strangler.plans.standing import Event
from strangler.plans.state import ProjectState
from strangler.split import Side
from tests.unit.strangler.dashboard.conftest import PLAN, record, routing
from tests.unit.strangler.plans.fake_world import schema

STATE = PLAN.states(ProjectState(schema=schema()))[-1]


def test_before_the_move_all_routes_are_the_monoliths():
    for route in routes_of(PLAN, STATE, None):
        assert (route.owner, route.other, route.reads_to_other, route.version) == ("monolith", "reviews", 0, "")


def test_where_nobody_can_say_it_no_route_is_anybodys():
    assert {(route.owner, route.version) for route in routes_of(PLAN, STATE, None, known=False)} == {("unknown",) * 2}


def test_in_the_canary_only_the_shared_routes_are_divided():
    shared, whole = routes_of(PLAN, STATE, routing())
    assert (shared.owner, shared.reads_to_other, shared.shadowed, shared.early) == ("monolith", 10, 25, ("staff",))
    assert (whole.owner, whole.reads_to_other, whole.shadowed, whole.early) == ("monolith", 0, 0, ())
    assert {shared.version, whole.version} == {"1.4"}


def test_after_the_switch_the_monolith_has_the_controls_share():
    shared, _ = routes_of(PLAN, STATE, routing(Side.TARGET, term=2, n=1, weight=500, shadow=0, early=False))
    assert (shared.owner, shared.other, shared.reads_to_other) == ("reviews", "monolith", 5)


def test_tables_that_move_have_the_owner_and_copies_stay_the_monoliths():
    told = [(table.name, table.owner, table.copy_at) for table in tables_of(PLAN, STATE, "nobody")]
    assert told == [
        ("reviews_review", "nobody", ""),
        ("reviews_vote", "nobody", ""),
        ("catalog_product", "monolith", "reviews"),
    ]


def test_the_last_verdicts_come_first():
    verdict = {"step": "verdict", "outcome": "failed", "reason": "slow", "asked": "promote"}
    entries = record(*((Event.STEP, {**verdict, "weight": weight}) for weight in range(100, 100 + 2 * VERDICTS)))
    found = verdicts_of(entries)
    assert len(found) == VERDICTS
    assert (found[0].weight, found[0].outcome, found[0].asked) == (1.39, "failed", "promote")
    assert verdicts_of(record((Event.STEP, {"step": "verdict"})))[0].weight is None
