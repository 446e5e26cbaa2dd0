"""The watch after a switch: what it does, what it records, and where it goes on."""

from dataclasses import replace

import pytest
from strangler_proxy.cohorts import EDGES, Cohort, Cohorts

from strangler.errors import StranglerError
from strangler.plans.errors import PlanError
from strangler.plans.operations import Limits, MoveRoutes, Watch
from strangler.plans.standing import Entry
from strangler.plans.watched import Watched, watched
from strangler.plans.watching import told
from strangler.rollout.rollout import Wish
from strangler.split.spec import Side
from tests.unit.strangler.plans.fake_world import FakeWishes

LIMITS = Limits(minimum=10, failures=0.2, refusals=0.2)
WATCH = Watch(soak=0, patience=3_600, control=500, limits=LIMITS)
ROUTES = MoveRoutes(["/api/reviews/"], canary=[], hold=0, limits=None, watch=WATCH)


def counted(requests, failed=0):
    return Cohort(requests=requests, failed=failed, seconds=(requests, *(0,) * len(EDGES)))


WELL = Cohorts(candidate=counted(3_000), control=counted(3_000), writes=counted(300))
FAILING = Cohorts(candidate=counted(3_000), control=counted(3_000), writes=counted(300, failed=200))


def entry(at="2026-01-01T00:00:00.000+00:00", **facts):
    return Entry(
        at=at, who="ada", plan="p", plan_hash="", index=0, operation="", direction="forwards", event="step", facts=facts
    )


@pytest.fixture
def watch(world, events, move, state):
    """Apply the routes in a world that reads back what was recorded; how the reads went is the first argument."""

    def run(seen, routes=ROUTES, asked=(), **changes):
        there = replace(
            world,
            cohorts=lambda routing: seen,
            entries=lambda: [entry(**event[1]) for event in events if event[0] == "step"],
            wishes=FakeWishes(list(asked)),
            **changes,
        )
        routes.forwards(there, state, state)

    return run


def steps(events):
    return [event[1]["step"] for event in events if event[0] == "step"]


def shares(events):
    return [event[1]["weight"] for event in events if event[0] == "step" and event[1]["step"] == "reads"]


def test_a_switch_that_is_well_lasts_and_the_old_side_gives_its_share_of_the_reads_back(watch, events, move):
    watch(WELL)
    assert (move.owner, move.weight) == (Side.TARGET, 0)
    assert shares(events) == [500, 0]
    assert [step for step in steps(events) if step in ("switched", "watch", "verdict", "lasts")] == [
        "switched",
        "watch",
        "verdict",
        "lasts",
    ]


def test_a_failure_gives_the_ownership_back_where_the_plan_says_so(watch, events, move):
    routes = replace(ROUTES, watch=replace(WATCH, reverse=True))
    with pytest.raises(PlanError, match=r"the switch did not last, the monolith owns .*: 66\.67% of the writes fail"):
        watch(FAILING, routes)
    assert (move.owner, move.weight) == (Side.SOURCE, 0)
    assert [event[1:] for event in events if event[0] == "published"][-1] == (Side.SOURCE, 3, 0, 0)


def test_a_failure_freezes_the_plan_otherwise_until_a_person_decides(watch, events, move):
    with pytest.raises(PlanError, match=r"frozen after its switch: failed: 66.67% of the writes fail.* promote"):
        watch(FAILING)
    assert (move.owner, move.weight) == (Side.TARGET, 0)
    looks = events.count(("asked",))
    with pytest.raises(PlanError, match=r"frozen after its switch: failed: 66.67% of the writes fail"):
        watch(WELL)
    assert events.count(("asked",)) == looks


def test_frozen_it_lasts_when_a_person_says_so(watch, events, move):
    with pytest.raises(PlanError, match="frozen after its switch"):
        watch(FAILING)
    watch(FAILING, asked=[Wish.PROMOTE])
    assert move.owner is Side.TARGET
    assert ("step", {"step": "asked", "wish": "promote", "by": "ada"}) in events
    watch(FAILING)  # as after a crash between the decision and the operation's end
    assert steps(events).count("lasts") == 1


def test_frozen_it_goes_back_when_a_person_says_so(watch, events, move):
    with pytest.raises(PlanError, match="frozen after its switch"):
        watch(FAILING)
    with pytest.raises(PlanError, match=r"the monolith owns and answers everything again: it was aborted"):
        watch(FAILING, asked=[Wish.ABORT])
    assert move.owner is Side.SOURCE


def test_a_reverse_that_is_refused_freezes_the_plan(watch, events, move):
    routes = replace(ROUTES, watch=replace(WATCH, reverse=True))
    switch = move.switch

    def only_forwards(to, traffic, on_step):
        move.switch_fails = to is Side.SOURCE
        return switch(to, traffic, on_step)

    move.switch = only_forwards
    with pytest.raises(PlanError, match=r"frozen .*writes fail.*; and the ownership could not go back: .*lag is over"):
        watch(FAILING, routes)
    assert move.owner is Side.TARGET


def test_an_interrupted_watch_goes_on_where_it_stood(watch, events, move):
    move.owner, move.term, move.weight, move.n = Side.TARGET, 2, 500, 1
    events.append(("step", {"step": "watch", "term": 2, "control": 500}))
    watch(WELL, replace(ROUTES, watch=replace(WATCH, soak=3_600)))
    # It began long ago, so it has soaked; nothing is switched, shared or begun anew.
    assert (steps(events).count("watch"), steps(events).count("switched"), shares(events)) == (1, 0, [0])


def test_a_watch_that_stays_inconclusive_freezes_when_its_patience_is_over(watch, move):
    few = Cohorts(candidate=counted(5), control=counted(5), writes=counted(5))
    with pytest.raises(PlanError, match=r"frozen after its switch: inconclusive: 5 writes, of 10 that are asked for"):
        watch(few, replace(ROUTES, watch=replace(WATCH, patience=0)))
    assert move.owner is Side.TARGET


def test_one_look_that_fails_is_looked_again(watch, events, move):
    move.owner, move.term = Side.TARGET, 2
    fails = iter([True, False])

    def gate():
        if next(fails):
            raise StranglerError("the service answers 503")

    watch(WELL, gate=gate)
    assert "lasts" in steps(events)


def test_without_a_control_the_writes_alone_are_judged(watch, events, move):
    only_writes = Cohorts(writes=counted(300))
    watch(only_writes, replace(ROUTES, watch=replace(WATCH, control=0)))
    assert shares(events) == []


def test_the_record_of_an_earlier_switch_says_nothing_of_this_one():
    entries = [entry(step="watch", term=2), entry(step="frozen", term=2, reason="so"), entry(step="reads", weight=0)]
    assert watched(entries, 4) == Watched()
    assert watched(entries, 2).frozen == "so"
    assert watched([*entries, entry(step="lasts", term=2)], 2).over


def test_it_is_told_how_the_watch_stands(move):
    routing = replace(move.routing(), owner=Side.TARGET, weight=500)
    lines = str(told(WATCH, "p", routing, Watched(began=0.0), lambda: WELL))
    assert "beside 5% of the reads that the monolith answers\n  success: 0.00% of the writes fail; the cand" in lines
    assert "3000 reads of the service and 3000 of the monolith, 300 writes" in lines
    frozen = told(WATCH, "p", routing, Watched(began=0.0, frozen="so"), Cohorts)
    assert "frozen after its switch: so; decide" in str(frozen)
    assert str(told(WATCH, "p", routing, Watched(began=0.0, over=True), Cohorts)) == "the switch lasts"
