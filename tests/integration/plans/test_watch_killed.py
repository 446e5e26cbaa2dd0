"""The watch after a switch, over two real databases, killed with SIGKILL between the events that it records."""

from __future__ import annotations

import pytest
from strangler_proxy.cohorts import EDGES, Cohort, Cohorts

from strangler.plans import Plan
from strangler.plans.errors import PlanError
from strangler.plans.moves import move_spec
from strangler.plans.operations import Limits, MoveRoutes, Watch
from strangler.rollout.rollout import Wish
from strangler.split import Move, Side
from tests.unit.strangler.plans.fake_world import FakeWishes

from .test_executor import MOVED, OPERATIONS, SWITCHED, Shop


def counted(requests, failed=0):
    return Cohort(requests=requests, failed=failed, seconds=(requests, *(0,) * len(EDGES)))


WELL = Cohorts(candidate=counted(3_000), control=counted(3_000), writes=counted(300))
FAILING = Cohorts(candidate=counted(3_000), control=counted(3_000), writes=counted(300, failed=200))


def watching(**changes):
    """A plan that goes on from where the rows are brought, and watches its switch."""
    watch = Watch(**{"soak": 0, "control": 500, "limits": Limits(minimum=10, failures=0.2, refusals=0.2), **changes})
    routes = MoveRoutes(["/api/reviews/"], canary=[], hold=0, limits=None, watch=watch)
    return type("Plan", (Plan,), {"service": "reviews", "operations": (*OPERATIONS[:2], routes)})("0001_reviews", None)


@pytest.fixture
def shop(source_dsn, target_dsn, tmp_path):
    shop = Shop(source_dsn, target_dsn, tmp_path, watching())
    shop.executor().run(shop.plan, MOVED)
    yield shop
    shop.source.close()
    shop.target.close()


def routing(shop):
    state = shop.executor().project.states(shop.plan.name)[-1]
    return Move(move_spec(shop.plan.key, state), shop.source_dsn, shop.target_dsn).routing()


def steps(shop, *names):
    return [entry.facts["step"] for entry in shop.recorder().entries() if entry.facts.get("step") in names]


def boundaries_of(shop, run):
    """What a run passes from the end of its first switch on: two boundaries an event."""
    before = len(shop.recorder().entries())
    run()
    events = shop.recorder().entries()[before:]
    switched = next(number for number, event in enumerate(events) if event.facts.get("step") == "switched")
    return range(2 * switched, 2 * len(events))


def test_killed_in_its_watch_a_plan_watches_on_and_its_switch_lasts(shop):
    shop.seen = WELL
    for boundary in boundaries_of(shop, lambda: shop.executor().run(shop.plan, SWITCHED))[1::6]:
        shop.executor().run(shop.plan, MOVED)
        began = len(steps(shop, "watch", "switched"))
        assert not shop.run_and_be_killed(SWITCHED, boundary)
        shop.resume(SWITCHED)
        assert (shop.owners(), routing(shop).weight) == ([Side.TARGET], 0), f"at boundary {boundary}"
        # One switch, one watch: neither is begun anew.
        assert sorted(steps(shop, "watch", "switched")[began:]) in (["switched", "watch"], ["watch"])
        assert steps(shop, "lasts", "switched")[-1] == "lasts"


def test_killed_while_it_goes_back_a_plan_ends_where_the_monolith_owns(shop):
    shop.plan, shop.seen = watching(reverse=True), FAILING

    def run():
        with pytest.raises(PlanError, match="the switch did not last, the monolith owns and answers everything again"):
            shop.resume(SWITCHED)
        assert shop.owners() == [Side.SOURCE]

    for boundary in boundaries_of(shop, run)[5::17]:
        assert not shop.run_and_be_killed(SWITCHED, boundary)
        run()


def test_frozen_it_stays_so_over_any_kill_until_a_person_decides(shop):
    shop.seen = FAILING

    def frozen():
        with pytest.raises(PlanError, match=r"frozen after its switch: failed: 66.67% of the writes fail"):
            shop.resume(SWITCHED)
        assert (shop.owners(), routing(shop).weight) == ([Side.TARGET], 0)

    last = boundaries_of(shop, frozen)[-1]
    shop.executor().run(shop.plan, MOVED)
    for boundary in (last - 3, last - 1):
        assert not shop.run_and_be_killed(SWITCHED, boundary)
        frozen()
        shop.executor().run(shop.plan, MOVED)
    frozen()
    shop.seen, looked = WELL, len(steps(shop, "verdict"))
    frozen()
    assert len(steps(shop, "verdict")) == looked
    shop.wishes = FakeWishes([Wish.PROMOTE])
    shop.resume(SWITCHED)
    shop.stands_at(SWITCHED)
