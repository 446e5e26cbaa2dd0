from dataclasses import replace

import pytest
from strangler_proxy.cohorts import EDGES, Cohort, Cohorts

from strangler.errors import StranglerError
from strangler.plans.errors import PlanError
from strangler.plans.operations import CutForeignKey, Limits, MoveRoutes, MoveTables
from strangler.plans.state import Routed
from strangler.rollout.rollout import Wish
from strangler.split.spec import Side
from tests.unit.strangler.plans.fake_world import FakeWishes

ROUTES = MoveRoutes(["/api/reviews/", "/api/products/<pk>/reviews/"], canary=[100, 10_000], hold=0, limits=None)


@pytest.fixture
def moved(state, key):
    cut = CutForeignKey("reviews.Review.product", keep="product_id", migration="0002_cut").state_forwards(key, state)
    return MoveTables(["reviews.Review", "reviews.Vote"]).state_forwards(key, cut)


def published(events):
    return [event[1:] for event in events if event[0] == "published"]


def test_the_service_owns_the_routes_afterwards(moved, key):
    assert ROUTES.state_forwards(key, moved).owner_of_route("/api/reviews/") == "reviews"


def test_routes_come_after_their_tables(state, key):
    with pytest.raises(PlanError, match="put MoveTables before MoveRoutes"):
        ROUTES.state_forwards(key, state)


@pytest.mark.parametrize("pattern", ["/api/products/<id>/", "/api/products/<id>/reviews/<pk>/"])
def test_a_nested_route_of_another_plan_is_refused_unless_it_is_named(moved, key, pattern):
    other = Routed(plan="0000_catalog", service="catalog", pattern=pattern)
    state = replace(moved, routed=(other,))
    with pytest.raises(PlanError, match=r'overlap; name "/api/products/<id>/.* in "overlapping" if that is meant'):
        ROUTES.state_forwards(key, state)
    named = replace(ROUTES, overlapping=[pattern])
    assert named.state_forwards(key, state).owner_of_route("/api/products/<pk>/reviews/") == "reviews"


def test_routes_of_which_neither_is_more_specific_are_refused_always(moved, key):
    state = replace(moved, routed=(Routed(plan="0000_a", service="a", pattern="/api/<what>/7/"),))
    with pytest.raises(PlanError, match=r"\(plan \".*\"\) overlap; remove one of them"):
        replace(ROUTES, overlapping=["/api/<what>/7/"]).state_forwards(key, state)


def test_one_route_twice_or_inside_another_of_the_same_plan_is_refused(moved, key):
    with pytest.raises(PlanError, match="two owners"):
        MoveRoutes(["/a/<x>/", "/a/<y>/"]).state_forwards(key, moved)
    with pytest.raises(PlanError, match=r"\(plan \".*\"\) overlap; remove one of them"):
        MoveRoutes(["/a/", "/a/b/"]).state_forwards(key, moved)


@pytest.mark.parametrize("canary", [[0], [10_001], [10, 10], [100, 10]])
def test_a_canary_ascends_within_its_bounds(canary):
    with pytest.raises(ValueError, match="must ascend"):
        MoveRoutes(["/a/"], canary=canary)


def test_a_canary_that_is_judged_leaves_the_owner_reads_to_compare_with():
    with pytest.raises(ValueError, match="leaves the owner no reads to compare with; end below 10000"):
        MoveRoutes(["/a/"], canary=[10_000])


def test_forwards_moves_reads_step_by_step_and_then_the_ownership(world, moved, key, events):
    ROUTES.forwards(world, moved, ROUTES.state_forwards(key, moved))
    assert [event for event in events if event[0] != "step"] == [
        ("recover",),
        ("catch up",),
        ("asked",),
        ("routes", 100),
        ("catch up",),
        ("asked",),
        ("routes", 10_000),
        ("catch up",),
        ("asked",),
        ("published", Side.TARGET, 2, 0, 0),
    ]


def test_every_publication_stands_between_two_events(world, moved, key, events):
    ROUTES.forwards(world, moved, ROUTES.state_forwards(key, moved))
    for number, event in enumerate(events):
        if event[0] in ("published", "routes"):
            assert events[number - 1][0] == "step"


def test_a_step_is_watched_for_as_long_as_it_is_held(world, moved, key, events):
    routes = replace(ROUTES, canary=[100], hold=0.6)
    routes.forwards(world, moved, routes.state_forwards(key, moved))
    assert events.count(("asked",)) == events.count(("catch up",)) == 1 + 4


def test_a_run_after_the_switch_only_recovers(world, moved, key, move, events):
    move.owner = Side.TARGET
    ROUTES.forwards(world, moved, ROUTES.state_forwards(key, moved))
    assert events == [("recover",)]


def test_a_service_that_fails_the_canary_loses_all_reads(world, moved, key, move, events):
    def fail():
        if move.weight:
            raise StranglerError("the service answers 500")

    with pytest.raises(PlanError, match=r"canary at 1% failed, the owner answers all reads: the service answers 500"):
        ROUTES.forwards(replace(world, gate=fail), moved, ROUTES.state_forwards(key, moved))
    assert published(events)[-1] == (Side.SOURCE, 1, 2, 0)
    assert move.owner is Side.SOURCE


def test_a_service_that_is_not_ready_gets_no_reads_at_all(world, moved, key, move, events):
    def fail():
        raise StranglerError("nobody answers")

    with pytest.raises(PlanError, match="the canary at 1% failed"):
        ROUTES.forwards(replace(world, gate=fail), moved, ROUTES.state_forwards(key, moved))
    assert published(events) == []
    assert (move.n, move.weight) == (0, 0)


def test_a_service_that_is_not_ready_is_not_switched_to_without_a_canary_either(world, moved, key, move, events):
    def fail():
        raise StranglerError("nobody answers")

    routes = replace(ROUTES, canary=())
    with pytest.raises(PlanError, match=r"the last look before the switch failed, .*: nobody answers"):
        routes.forwards(replace(world, gate=fail), moved, routes.state_forwards(key, moved))
    assert move.owner is Side.SOURCE


def test_a_proxy_that_does_not_take_the_table_ends_the_canary(world, moved, key, move, events):
    def fail():
        raise StranglerError("a proxy does not answer")

    with pytest.raises(PlanError, match=r"canary at 1% failed, the owner answers all reads: a proxy does not answer"):
        ROUTES.forwards(replace(world, publish_routes=fail), moved, ROUTES.state_forwards(key, moved))
    assert published(events) == [(Side.SOURCE, 1, 2, 0)]


def counted(requests, failed=0):
    fast = (requests, *(0,) * len(EDGES))
    return Cohort(requests=requests, failed=failed, seconds=fast)


JUDGED = replace(ROUTES, canary=[100, 5_000], limits=Limits(minimum=10, failures=0.2, refusals=0.2))


def test_a_judged_step_waits_until_there_is_enough_to_see(world, moved, key, events):
    seen = iter(range(0, 10_000, 20))
    world = replace(world, cohorts=lambda routing: Cohorts(candidate=counted(n := next(seen)), control=counted(n)))
    JUDGED.forwards(world, moved, JUDGED.state_forwards(key, moved))
    verdicts = [event[1] for event in events if event[0] == "step" and event[1].get("step") == "verdict"]
    assert [(verdict["weight"], verdict["outcome"]) for verdict in verdicts] == [(100, "success"), (5_000, "success")]
    assert events.count(("catch up",)) > 3


def test_the_databases_are_not_asked_for_the_version_at_each_look(world, moved, key, move):
    asked, seen = [], iter(range(0, 10_000, 200))
    routing = move.routing
    move.routing = lambda: asked.append(1) or routing()

    def cohorts(version):
        assert version == routing()
        return Cohorts(candidate=counted(n := next(seen)), control=counted(n))

    routes = replace(JUDGED, hold=1.0)
    routes.forwards(replace(world, cohorts=cohorts), moved, routes.state_forwards(key, moved))
    assert len(asked) < next(seen) // 200


def test_a_candidate_that_fails_beside_its_control_loses_its_reads(world, moved, key, move, events):
    world = replace(world, cohorts=lambda routing: Cohorts(candidate=counted(100, failed=60), control=counted(100)))
    with pytest.raises(PlanError, match=r"canary at 1% failed, .*: the candidate fails 60.00%, the control 0.00%"):
        JUDGED.forwards(world, moved, JUDGED.state_forwards(key, moved))
    assert (move.owner, move.weight) == (Side.SOURCE, 0)
    assert published(events)[-1] == (Side.SOURCE, 1, 2, 0)


def test_sparse_traffic_promotes_nothing_and_ends_with_its_patience(world, moved, key, move):
    impatient = replace(JUDGED, patience=0)
    world = replace(world, cohorts=lambda routing: Cohorts(candidate=counted(3), control=counted(3)))
    with pytest.raises(
        PlanError, match=r"still inconclusive after 0 s \(3 requests in the smaller .*; wait for more traffic"
    ):
        impatient.forwards(world, moved, impatient.state_forwards(key, moved))
    assert (move.owner, move.weight) == (Side.SOURCE, 0)


def test_shadows_come_first_and_go_on_beside_the_canary(world, moved, key, move, events):
    routes = replace(JUDGED, shadow=2_500)
    both = Cohorts(candidate=counted(3_000), control=counted(3_000), compared=3_000)
    routes.forwards(replace(world, cohorts=lambda routing: both), moved, routes.state_forwards(key, moved))
    steps = [event[1] for event in events if event[0] == "step"]
    assert [(step["weight"], step.get("shadow")) for step in steps if step.get("step") == "reads"] == [
        (0, 2_500),
        (100, 2_500),
        (5_000, 2_500),
    ]
    assert move.owner is Side.TARGET


def test_writes_are_shadowed_only_where_the_service_can_rehearse_them(world, moved, key, move, events):
    routes = replace(JUDGED, shadow=2_500, shadow_writes=100)
    after = routes.state_forwards(key, moved)
    assert "-- proxies: 1% of the writes to be rehearsed by reviews, too" in list(routes.effects(world, moved, after))

    def fail():
        raise PlanError("writes are not shadowed: nobody promises it")

    with pytest.raises(PlanError, match="writes are not shadowed: nobody promises it"):
        routes.forwards(replace(world, rehearsals=fail), moved, after)
    assert published(events) == []
    assert (move.n, move.owner) == (0, Side.SOURCE)
    without = replace(routes, shadow_writes=0)
    both = Cohorts(candidate=counted(3_000), control=counted(3_000), compared=3_000)
    without.forwards(replace(world, rehearsals=fail, cohorts=lambda routing: both), moved, after)
    assert move.owner is Side.TARGET


def test_a_service_that_answers_shadows_otherwise_gets_no_reads(world, moved, key, move, events):
    routes = replace(JUDGED, shadow=2_500)
    seen = Cohorts(compared=500, different=300)
    with pytest.raises(PlanError, match=r"the shadow failed, .*: 300 of 500 shadowed requests were answered diff"):
        routes.forwards(replace(world, cohorts=lambda routing: seen), moved, routes.state_forwards(key, moved))
    assert (move.owner, move.weight, move.shadow) == (Side.SOURCE, 0, 0)


def test_those_who_come_early_are_a_step_of_their_own_before_all_weights(world, moved, key, move, events):
    routes = replace(JUDGED, canary=[0, 100], early=["staff"])
    both = Cohorts(candidate=counted(3_000), control=counted(3_000), early=counted(3_000))
    tables = []
    world = replace(
        world, cohorts=lambda routing: both, publish_routes=lambda: tables.append((move.weight, move.early))
    )
    after = routes.state_forwards(key, moved)
    routes.forwards(world, moved, after)
    assert tables == [(0, True), (100, True)]
    assert (move.owner, move.early) == (Side.TARGET, False)
    assert "-- proxies: all reads of staff to reviews, during the canary" in list(routes.effects(world, moved, after))


def test_a_service_that_fails_those_who_come_early_loses_them(world, moved, key, move, events):
    routes = replace(JUDGED, canary=[0, 100], early=["staff"])
    world = replace(world, cohorts=lambda routing: Cohorts(early=counted(100, failed=60)))
    with pytest.raises(PlanError, match=r"canary at 0% failed, .*: the candidate fails 60.00% of those who come early"):
        routes.forwards(world, moved, routes.state_forwards(key, moved))
    assert (move.owner, move.weight, move.early) == (Side.SOURCE, 0, False)


def test_a_step_of_those_who_come_early_goes_on_where_it_was_interrupted(world, moved, key, move, events):
    routes = replace(ROUTES, canary=[0, 100], early=["staff"])
    move.early, move.n = True, 1
    routes.forwards(world, moved, routes.state_forwards(key, moved))
    assert [event[1]["weight"] for event in events if event[0] == "step" and event[1].get("step") == "reads"] == [100]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"canary": [0, 100]}, "must ascend from 1"),
        ({"canary": [], "early": ["staff"]}, "need a canary"),
        ({"key": "header:Date"}, "changes from request to request"),
        ({"early": ["cookie:beta"]}, "no value that a request could bear"),
        ({"only_routes": ["/api/reviews/12/"]}, "none of the routes"),
        ({"only_methods": ["DELETE"]}, "reads alone are shared"),
        ({"shadow_writes": 1}, "goes with a shadow of reads"),
        ({"shadow": 100, "shadow_writes": 10_001}, "must lie between 0 and 10000"),
    ],
)
def test_shares_that_mean_nothing_or_would_not_stay_are_refused_in_the_plan(wrong, why):
    with pytest.raises(ValueError, match=why):
        replace(ROUTES, **wrong)


def test_a_run_that_was_interrupted_goes_on_at_its_step(world, moved, key, move, events):
    move.weight, move.n = 5_000, 2
    routes = replace(ROUTES, canary=[100, 5_000])
    routes.forwards(world, moved, routes.state_forwards(key, moved))
    weights = [event[1]["weight"] for event in events if event[0] == "step" and event[1].get("step") == "reads"]
    assert 100 not in weights
    assert move.owner is Side.TARGET


def test_wishes_are_heard_between_two_looks(world, moved, key, move, events):
    sparse = replace(world, cohorts=lambda routing: Cohorts())
    by_hand = replace(sparse, wishes=FakeWishes([Wish.PAUSE, Wish.PROMOTE, Wish.PROMOTE]))
    JUDGED.forwards(by_hand, moved, JUDGED.state_forwards(key, moved))
    steps = [event[1] for event in events if event[0] == "step"]
    assert [step.get("asked") for step in steps if step["step"] == "verdict"] == ["promote", "promote"]
    asked = [(step["wish"], step["by"]) for step in steps if step["step"] == "asked"]
    assert asked == [("pause", "ada"), ("promote", "ada"), ("promote", "ada")]
    assert move.owner is Side.TARGET


def test_an_abort_gives_the_reads_back(world, moved, key, move):
    aborted = replace(world, wishes=FakeWishes([Wish.ABORT]))
    with pytest.raises(PlanError, match="the canary at 1% failed, the owner answers all reads: it was aborted"):
        JUDGED.forwards(aborted, moved, JUDGED.state_forwards(key, moved))
    assert (move.owner, move.weight) == (Side.SOURCE, 0)


def test_a_refused_switch_gives_the_reads_back_to_the_owner(world, moved, key, move, events):
    move.switch_fails = True
    with pytest.raises(PlanError, match="the switch to the target was not finished: lag is over the limit"):
        ROUTES.forwards(world, moved, ROUTES.state_forwards(key, moved))
    assert published(events)[-1] == (Side.SOURCE, 1, 3, 0)


def test_backwards_reverses_and_is_safe_to_run_again(world, moved, key, move, events):
    after = ROUTES.state_forwards(key, moved)
    ROUTES.forwards(world, moved, after)
    ROUTES.backwards(world, moved, after)
    ROUTES.backwards(world, moved, after)
    assert published(events)[-1] == (Side.SOURCE, 3, 0, 0)
    assert move.owner is Side.SOURCE


def test_a_plan_without_routes_or_with_two_of_it_is_refused(moved, key):
    with pytest.raises(PlanError, match="MoveRoutes names no route; name at least one"):
        MoveRoutes([]).state_forwards(key, moved)
    with pytest.raises(PlanError, match="a plan moves its routes at once; name them all in one MoveRoutes"):
        MoveRoutes(["/other/"]).state_forwards(key, ROUTES.state_forwards(key, moved))


def test_a_move_that_somebody_cancelled_meanwhile_is_told(world, moved, key, move, events):
    move.routing = lambda: None
    with pytest.raises(PlanError, match="the move is not set up in the databases any more; go back behind MoveTables"):
        ROUTES.forwards(world, moved, ROUTES.state_forwards(key, moved))
    assert published(events) == []
