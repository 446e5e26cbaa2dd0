"""Read everything that the dashboard shows: plans, records, both databases, the proxies. Nothing is changed.

Each part is read for itself: what cannot be read is told, and does not keep the rest from being shown.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured
from strangler_proxy.routes import RouteTable

from strangler.dashboard import steering
from strangler.dashboard.parts import asked_for, routes_of, tables_of, verdicts_of
from strangler.dashboard.snapshot import ANSWERS, CURRENT, OTHER, UNKNOWN, PlanView, Proxy, Shadows, Snapshot
from strangler.dashboard.timeline import happenings
from strangler.dashboard.traces import traces
from strangler.errors import StranglerError
from strangler.plans import wiring
from strangler.plans.databases import driver_errors
from strangler.plans.history import history
from strangler.plans.judged import Judged
from strangler.plans.plan import Plan
from strangler.plans.project import Project
from strangler.plans.report import report_plan
from strangler.plans.status import plan_status
from strangler.rollout.engines.base import EngineError, RoutingEngine
from strangler.rollout.rollout import Asked
from strangler.split import MoveStatus
from strangler.split.status import Routing

T = TypeVar("T")


def collect() -> Snapshot:
    """All of it, as it is now. This is a read-only operation."""
    troubles: list[str] = []
    loaded = _attempt(_project, None, troubles)
    plans = tuple(_plan(loaded, plan) for plan in loaded.plans) if loaded else ()
    return Snapshot(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        plans=plans,
        proxies=_proxies(loaded, troubles) if loaded else (),
        happenings=happenings({plan.name: plan.runs for plan in plans}),
        traces=_attempt(traces, None, troubles),
        troubles=tuple(trouble for trouble in troubles if not any(trouble in plan.troubles for plan in plans)),
    )


def stage_of(loaded: Project, plan: Plan) -> steering.Stage | None:
    """Where the plan's rollout is at this moment. Raises StranglerError. This is a read-only operation."""
    record, move = wiring.recorder(plan), wiring.move_of(loaded, plan)
    routing = move.routing() if move else None
    return steering.stage(plan, record.position(), record.entries(), routing)


def observed(engine: RoutingEngine, table: RouteTable | None) -> Proxy:
    """A proxy by its own table, beside the one that it should have; None where nobody can say. Read-only."""
    try:
        found = engine.observe()
    except EngineError as error:
        return Proxy(name=engine.name, state=str(error))
    state = ANSWERS if table is None else CURRENT if found == table else OTHER
    return Proxy(name=engine.name, state=state, moves=tuple(map(asked_for, found.moves)))


class Collector:
    """Gives what was collected last, and collects anew where that is older than "keep" seconds: any number of readers
    cost the databases as much as one."""

    def __init__(self, collect: Callable[[], Snapshot] = collect, keep: float = 1.0) -> None:
        self._collect = collect
        self._keep = keep
        self._lock = threading.Lock()
        self._last: Snapshot | None = None
        self._until = 0.0

    def current(self) -> Snapshot:
        """A snapshot that is at most so old; those who ask meanwhile wait for the same one."""
        with self._lock:
            if self._last is None or time.monotonic() > self._until:
                self._last = self._collect()
                self._until = time.monotonic() + self._keep
            return self._last

    def forget(self) -> None:
        """Collect anew for whoever asks next: something was changed."""
        with self._lock:
            self._last = None


def _project() -> Project:
    loaded = wiring.project()
    loaded.final_state()  # plans that do not fit each other are told once, not with each of them
    return loaded


def _plan(loaded: Project, plan: Plan) -> PlanView:
    troubles: list[str] = []
    record, state = wiring.recorder(plan), loaded.final_state()
    content, entries = record.read(), record.read().entries
    # A record that is damaged says nothing that one could rely on; the report tells what is wrong with it.
    read = _attempt(lambda: _status(loaded, plan), None, troubles) if not content.faults else None
    known = not content.faults and not troubles
    status = plan_status(plan, record.position(), read, entries) if known else None
    routing = read.routing if read else None
    stage = steering.stage(plan, record.position(), entries, routing) if status else None
    asked = _attempt(lambda: wiring.wishes(plan).current(), Asked(), troubles) if stage else Asked()
    none: tuple[Judged, ...] = ()
    judged = _attempt(lambda: wiring.judged(loaded, plan), none, troubles) if routing and plan.routes else none
    return PlanView(
        report=report_plan(plan, record),
        status=status,
        routes=routes_of(plan, state, routing, known=status is not None and status.owner != UNKNOWN),
        tables=tables_of(plan, state, status.owner if status else UNKNOWN),
        judged=judged,
        verdicts=verdicts_of(entries),
        shadows=_shadows(plan, routing),
        asked=asked,
        actions=steering.actions(stage, asked),
        runs=history(entries),
        troubles=tuple(troubles),
    )


def _status(loaded: Project, plan: Plan) -> MoveStatus | None:
    move = wiring.move_of(loaded, plan)
    return move.status() if move else None


def _shadows(plan: Plan, routing: Routing | None) -> Shadows | None:
    """None where the plan has none, or not yet."""
    if plan.routes is None or not plan.routes.shadow or routing is None:
        return None
    service = wiring.upstream(plan)
    try:
        return Shadows(service=service, seen=wiring.fleet().shadowed(plan.name))
    except EngineError as error:
        return Shadows(service=service, seen=None, unseen=str(error))


def _proxies(loaded: Project, troubles: list[str]) -> tuple[Proxy, ...]:
    engines = wiring.fleet().engines
    if not engines:
        return ()
    table = _attempt(lambda: wiring.routes(loaded).derive(), None, troubles)
    with ThreadPoolExecutor(max_workers=len(engines)) as all_at_once:
        return tuple(all_at_once.map(lambda engine: observed(engine, table), engines))


def _attempt(read: Callable[[], T], otherwise: T, troubles: list[str]) -> T:
    try:
        return read()
    except Exception as error:
        if not isinstance(error, (StranglerError, ImproperlyConfigured, *driver_errors())):
            raise
        troubles.append((str(error).strip().splitlines() or [type(error).__name__])[0])
        return otherwise
