"""A snapshot with something of everything."""

from dataclasses import replace

import pytest
from strangler_proxy.shadowed import Differing, Noise, Sample, Shadowed

from strangler.dashboard.parts import routes_of, tables_of, verdicts_of
from strangler.dashboard.snapshot import CURRENT, OTHER, PlanView, Proxy, Shadows, Snapshot, TraceView
from strangler.dashboard.steering import Stage, actions
from strangler.dashboard.timeline import happenings
from strangler.plans import Plan
from strangler.plans.history import history
from strangler.plans.judged import Judged
from strangler.plans.operations import CutForeignKey, MoveRoutes, MoveTables, ReplicateTable, RetireTables
from strangler.plans.report import OperationReport, PlanReport
from strangler.plans.standing import BACKWARDS, FORWARDS, Entry, Event, standing
from strangler.plans.state import ProjectState
from strangler.plans.status import plan_status
from strangler.rollout.rollout import Asked, Wish
from strangler.rollout.verdict import Outcome, Verdict
from strangler.rollout.watch import Watch
from strangler.split import MoveStatus, Picture, Side
from strangler.split.ownership import Ownership
from strangler.split.status import Routing
from tests.unit.strangler.plans.fake_world import schema

ROUTES = MoveRoutes(
    ["/api/reviews/", "/api/votes/"],
    canary=[1_000, 5_000],
    shadow=2_500,
    early=["staff"],
    only_routes=["/api/reviews/"],
    watch=Watch(),
)
OPERATIONS = (
    CutForeignKey("reviews.Review.product", keep="product_id", migration="0002_cut"),
    ReplicateTable("catalog.Product", columns=["id", "name"]),
    MoveTables(["reviews.Review", "reviews.Vote"]),
    ROUTES,
    RetireTables(["reviews.Review", "reviews.Vote"]),
)
PLAN = type("Plan", (Plan,), {"service": "reviews", "operations": OPERATIONS})("0001_reviews", None)


def entry(number, event, direction=FORWARDS, **facts):
    """The number-th event of a record, one a second."""
    index = facts.pop("index", 3)
    return Entry(
        at=f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000+00:00",
        who="ada <admin>",
        plan=PLAN.name,
        plan_hash="",
        index=index,
        operation=OPERATIONS[index].describe(),
        direction=direction,
        event=str(event),
        facts=facts,
        after=(f"h{number - 1}",) if number else (),
        hash=f"h{number}",
    )


def record(*events):
    """Events one after the other, as (event, facts)."""
    return tuple(entry(number, event, **facts) for number, (event, facts) in enumerate(events))


BEFORE = tuple((event, {"index": index}) for index in range(3) for event in (Event.STARTED, Event.DONE))
CANARY = (
    *BEFORE,
    (Event.STARTED, {}),
    (Event.STEP, {"step": "reads", "weight": 1_000}),
    (Event.STEP, {"step": "verdict", "weight": 1_000, "outcome": "success", "reason": "<b>as good</b>"}),
    (Event.STEP, {"step": "asked", "wish": "pause", "by": "grace"}),
)
BACK = (*CANARY, (Event.FAILED, {"error": "<script>alert(1)</script>"}), (Event.STARTED, {"direction": BACKWARDS}))


def routing(owner=Side.SOURCE, **changes):
    return Routing(**{"owner": owner, "term": 1, "n": 4, "weight": 1_000, "shadow": 2_500, "early": True, **changes})


def moved(found=None):
    found = found or routing()
    rows = [
        Ownership(side=side, epoch=1, owns=found.owner is side, term=found.term * (found.owner is side), done=False)
        for side in Side
    ]
    return MoveStatus(
        move=PLAN.name,
        picture=Picture(source=rows[0], target=rows[1]),
        routing=found,
        copied=True,
        pending={Side.SOURCE: 1_234, Side.TARGET: 0},
        lag_seconds={Side.SOURCE: 0.4, Side.TARGET: None},
        verified_at="2025-12-31 23:57:00+00:00",
        differences=0,
        refusals=("the <lag> is over the limit",),
    )


def view(entries, move, **changes):
    """What is collected of the plan, from these lines of its record and this answer of its databases."""
    position = standing(entries).position
    status = plan_status(PLAN, position, move, entries)
    state = PLAN.states(ProjectState(schema=schema()))[-1]
    report = PlanReport(
        plan=PLAN.name,
        service="reviews",
        dependencies=("0000_before",),
        squash="",
        operations=tuple(
            OperationReport(
                number=number,
                operation=operation.describe(),
                state="applied" if number <= position.lowest else "half done" if number <= position.highest else "open",
                final=operation.final,
            )
            for number, operation in enumerate(OPERATIONS, start=1)
        ),
        problems=(),
    )
    found = PlanView(
        report=report,
        status=status,
        routes=routes_of(PLAN, state, move.routing if move else None),
        tables=tables_of(PLAN, state, status.owner),
        judged=(
            Judged(
                stands="canary at 10%",
                verdict=Verdict(outcome=Outcome.INCONCLUSIVE, reason="12 requests & no more"),
                rests_on="requests: 12 of the candidate",
            ),
        ),
        verdicts=verdicts_of(entries),
        shadows=Shadows(
            service="http://127.0.0.1:8002",
            seen=Shadowed(
                compared=1_200,
                different=2,
                differing=(
                    Differing(
                        endpoint="GET /api/reviews/",
                        path="$.results[].rating",
                        kind="value",
                        count=2,
                        samples=(Sample(request="GET /api/reviews/?a=<1>", owner="<4>", candidate="5"),),
                    ),
                ),
                noise=(Noise(endpoint="GET /api/reviews/", path="$.at", count=3),),
            ),
        ),
        asked=Asked(wish=Wish.PAUSE, who="grace"),
        actions=actions(Stage.SHARED, Asked(wish=Wish.PAUSE, who="grace")),
        runs=history(entries),
        troubles=(),
    )
    return replace(found, **changes)


def snapshot_of(*plans, **changes):
    facts = {
        "at": "2026-01-01T00:01:00+00:00",
        "plans": plans,
        "proxies": (
            Proxy(name="http://127.0.0.1:8000", state=CURRENT, moves=("0001_reviews: monolith (1.4)",)),
            Proxy(name="haproxy", state=OTHER),
        ),
        "happenings": happenings({plan.name: plan.runs for plan in plans}),
        "traces": (
            TraceView(
                id="4bf92f3577b34da6a3ce929d0e0e4736",
                at="2026-01-01T00:00:59.500+00:00",
                name="POST /<checkout>/ 302",
                milliseconds=130.04,
                components=("proxy", "orchard", "worker"),
                failed=True,
            ),
        ),
    }
    return Snapshot(**{**facts, **changes})


@pytest.fixture
def canary():
    """In the middle of a canary that somebody holds."""
    return snapshot_of(view(record(*CANARY), moved()))


@pytest.fixture
def planned():
    """Nothing is done yet."""
    return snapshot_of(
        view((), None, judged=(), shadows=None, asked=Asked(), actions=()), proxies=(), happenings=(), traces=None
    )
