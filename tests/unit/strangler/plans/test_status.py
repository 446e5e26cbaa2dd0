import pytest

from strangler.plans import Plan
from strangler.plans.operations import CutForeignKey, MoveTables, RetireTables
from strangler.plans.standing import Position
from strangler.plans.status import plan_status
from strangler.split import MoveStatus, Picture, Side
from strangler.split.ownership import Ownership
from strangler.split.status import Routing, unknown

OPERATIONS = (
    CutForeignKey("reviews.Review.product", keep="product_id", migration="0002_cut"),
    MoveTables(["reviews.Review"]),
    RetireTables(["reviews.Review"]),
)
PLAN = type("Plan", (Plan,), {"service": "reviews", "operations": OPERATIONS})("0001_reviews", None)


def at(lowest, highest=None):
    return Position(lowest=lowest, highest=lowest if highest is None else highest)


def move(owner, *, weight=0, done=False, refusals=()):
    source = Ownership(side=Side.SOURCE, epoch=1, owns=owner is Side.SOURCE, term=1, done=False)
    target = Ownership(side=Side.TARGET, epoch=1, owns=owner is Side.TARGET, term=2 * (owner is Side.TARGET), done=done)
    picture = Picture(source=source, target=target)
    return MoveStatus(
        move="0001_reviews",
        picture=picture,
        routing=Routing(owner=picture.last_owner, term=picture.term, n=4, weight=weight),
        copied=True,
        pending={Side.SOURCE: 7, Side.TARGET: 0},
        lag_seconds={Side.SOURCE: 0.04, Side.TARGET: None},
        verified_at="2026-01-01 00:00:00+00",
        differences=0,
        refusals=refusals,
    )


def test_before_anything_the_monolith_owns_and_serves():
    status = plan_status(PLAN, at(0), None)
    assert (status.owner, status.reads_to_service, status.back.possible) == ("monolith", 0, False)
    assert '"manage.py applyplan 0001_reviews 1" goes on with: Cut foreign key' in status.next


def test_during_the_canary_the_service_answers_its_share():
    status = plan_status(PLAN, at(1, 2), move(Side.SOURCE, weight=1_000))
    assert (status.owner, status.reads_to_service, status.half_done) == ("monolith", 10, True)
    assert status.next == (
        '"manage.py applyplan 0001_reviews" finishes operation 2, "manage.py applyplan 0001_reviews 1" undoes it'
    )


def test_after_the_switch_the_service_owns_and_one_can_go_back():
    status = plan_status(PLAN, at(2), move(Side.TARGET))
    assert (status.owner, status.term, status.reads_to_service, status.back.possible) == ("reviews", 2, 100, True)
    assert '"manage.py applyplan 0001_reviews zero" goes back' in status.next


def test_a_gate_that_refuses_the_reverse_keeps_one_from_going_back_and_is_named():
    status = plan_status(PLAN, at(2), move(Side.TARGET, refusals=("the lag is over the limit",)))
    assert not status.back.possible
    assert status.reasons == ("the lag is over the limit",)


def test_a_gate_that_refuses_the_next_switch_does_not_keep_one_from_going_back_before_it():
    status = plan_status(PLAN, at(2), move(Side.SOURCE, refusals=("not verified",)))
    assert status.back.possible
    assert status.reasons == ("not verified",)


def test_in_the_middle_of_a_switch_nobody_owns():
    assert plan_status(PLAN, at(1, 2), move(None)).owner == "nobody"


def test_databases_that_contradict_each_other_leave_the_owner_unknown_and_no_way_back():
    status = plan_status(PLAN, at(1), unknown("0001_reviews", "both databases say that they own", broken=True))
    assert (status.owner, status.back.possible) == ("unknown", False)
    assert "because      both databases say that they own" in str(status)


def test_a_retired_plan_is_over():
    status = plan_status(PLAN, at(3), move(Side.TARGET, done=True, refusals=("it is done",)))
    assert not status.back.possible
    assert status.next == "nothing, the extraction is over"
    assert status.reasons == ("Retire tables reviews.Review cannot be undone",)


@pytest.mark.parametrize(
    "text", ["2 of 3 operations", "reviews (term 2)", "100% by reviews", "7 changes of the source"]
)
def test_it_prints_everything_a_person_asks_for(text):
    assert text in str(plan_status(PLAN, at(2), move(Side.TARGET)))


def test_a_heartbeat_that_never_arrived_says_so():
    printed = str(plan_status(PLAN, at(2), move(Side.TARGET)))
    assert "source 0.0 s ago, target never arrived" in printed
