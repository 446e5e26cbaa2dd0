"""What is offered when; a wish that nobody would hear, or that would be heard as something else, is not."""

import pytest

from strangler.dashboard.steering import PERMISSION, Stage, actions, stage
from strangler.plans.standing import BACKWARDS, Event, standing
from strangler.rollout.rollout import Asked, Wish
from strangler.split import Side
from tests.unit.strangler.dashboard.conftest import BEFORE, CANARY, PLAN, record, routing

OWNS = routing(Side.TARGET, term=2, n=1, weight=500, shadow=0, early=False)
SWITCHED = (*CANARY, (Event.STEP, {"step": "switched", "pause_ms": 1}))
WATCHED = (*SWITCHED, (Event.STEP, {"step": "watch", "term": 2}))
FROZEN = (*WATCHED, (Event.STEP, {"step": "frozen", "term": 2, "reason": "so"}))


def at(events, found):
    entries = record(*events)
    return stage(PLAN, standing(entries).position, entries, found)


@pytest.mark.parametrize(
    ("events", "found", "expected"),
    [
        ((), None, None),
        (BEFORE, routing(weight=0, shadow=0, early=False), None),
        (CANARY, routing(), Stage.SHARED),
        (CANARY, routing(weight=0, early=False), Stage.SHARED),
        (CANARY, routing(weight=0, shadow=0), Stage.SHARED),
        (CANARY, routing(weight=0, shadow=0, early=False), None),
        (SWITCHED, OWNS, None),
        (WATCHED, OWNS, Stage.WATCHED),
        (FROZEN, OWNS, Stage.FROZEN),
        ((*FROZEN, (Event.STEP, {"step": "lasts", "term": 2})), OWNS, None),
        ((*CANARY, (Event.DONE, {})), OWNS, None),
        ((*CANARY, (Event.STARTED, {"direction": BACKWARDS})), routing(), None),
        ((*CANARY, (Event.DONE, {}), (Event.STARTED, {"index": 4})), OWNS, None),
    ],
)
def test_only_a_rollout_that_is_under_way_can_be_steered(events, found, expected):
    assert at(events, found) is expected


def test_a_plan_that_has_become_shorter_than_its_record_is_not_steered():
    entries = record(*CANARY)
    short = type("Plan", (type(PLAN),), {"operations": PLAN.operations[:2]})("0001_reviews", None)
    assert stage(short, standing(entries).position, entries, routing()) is None


def named(at, asked=Asked()):  # noqa: B008 - a frozen value
    return {action.name: action.wish for action in actions(at, asked)}


def test_each_stage_offers_what_its_executor_hears_there():
    assert named(None) == {}
    assert named(Stage.SHARED) == {"pause": Wish.PAUSE, "promote": Wish.PROMOTE, "abort": Wish.ABORT}
    assert named(Stage.WATCHED) == {"pause": Wish.PAUSE, "promote": Wish.PROMOTE, "reverse": Wish.ABORT}
    assert named(Stage.FROZEN) == {"promote": Wish.PROMOTE, "reverse": Wish.ABORT}


def test_what_is_held_can_go_on():
    assert "pause" not in named(Stage.SHARED, Asked(wish=Wish.PAUSE, who="ada"))
    assert named(Stage.SHARED, Asked(wish=Wish.PAUSE, who="ada"))["resume"] is Wish.GO_ON


def test_the_permission_is_the_one_that_the_app_declares():
    from strangler.dashboard.models import Rollout

    (codename, _), *others = Rollout._meta.permissions
    assert (f"{Rollout._meta.app_label}.{codename}", others) == (PERMISSION, [])
