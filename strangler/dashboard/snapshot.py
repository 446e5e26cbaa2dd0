"""Everything that the dashboard shows, as one frozen value at one moment. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from strangler_proxy.shadowed import Shadowed

from strangler.dashboard.steering import Action
from strangler.dashboard.timeline import Happening
from strangler.plans.history import Run
from strangler.plans.judged import Judged
from strangler.plans.report import PlanReport
from strangler.plans.state import MONOLITH
from strangler.plans.status import PlanStatus
from strangler.rollout.rollout import Asked


@dataclass(frozen=True, kw_only=True)
class Route:
    """A route of a plan: who answers its writes and most of its reads, and who the others."""

    pattern: str
    owner: str
    other: str
    """Who answers a share of the reads meanwhile, or did so, or will."""
    reads_to_other: float
    """Percent; so are the shadows."""
    shadowed: float
    early: tuple[str, ...]
    """Marks of the clients whose reads the other side answers now, whatever the share is."""
    version: str
    """As "2.0", term and change; empty before the route is on the move."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a plan, and who owns it. What is followed and compared is the whole move, see PlanStatus."""

    name: str
    model: str
    owner: str
    copy_at: str
    """Where it is only read: a service that keeps a copy of some columns. Empty for a table that moves."""
    condition: str = ""
    """The rows that move, in SQL, where not all of them do."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One that was recorded, the share of the reads that it was about, and what a person had asked for."""

    at: str
    outcome: str
    reason: str
    weight: float | None
    asked: str


@dataclass(frozen=True, kw_only=True)
class Shadows:
    """What shadows of a plan's requests have shown, and where the service can be asked again."""

    service: str
    """Its URL."""
    seen: Shadowed | None
    unseen: str = ""
    """Why nothing is known of them."""


@dataclass(frozen=True, kw_only=True)
class PlanView:
    """One plan. What could not be read is None or empty, and "troubles" says why, a sentence each."""

    report: PlanReport
    status: PlanStatus | None
    routes: tuple[Route, ...]
    tables: tuple[Table, ...]
    judged: tuple[Judged, ...]
    verdicts: tuple[Verdict, ...]
    """The newest first."""
    shadows: Shadows | None
    asked: Asked
    actions: tuple[Action, ...]
    """What can be asked of its rollout now."""
    runs: tuple[Run, ...]
    """All of its record, the earliest first."""
    troubles: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.report.plan


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """A proxy, and how its table stands to the one that follows from plans and databases."""

    name: str
    state: str
    """"has the routes", "has other routes", "answers" where nobody knows which it should have, or why it does not."""
    moves: tuple[str, ...] = ()
    """Whom it asks for each move now, by its own table."""

    @property
    def well(self) -> bool:
        return self.state == CURRENT


@dataclass(frozen=True, kw_only=True)
class TraceView:
    """A request that came to several components, or went wrong."""

    id: str
    at: str
    """ISO 8601, UTC, to the millisecond."""
    name: str
    """What it began with."""
    milliseconds: float | None
    """That this took."""
    components: tuple[str, ...]
    failed: bool


UNKNOWN = "unknown"
CURRENT = "has the routes"
OTHER = "has other routes"
ANSWERS = "answers"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All plans of a project at one moment."""

    at: str
    """ISO 8601, UTC, to the second."""
    plans: tuple[PlanView, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    happenings: tuple[Happening, ...] = ()
    """The last of all plans, the newest first."""
    traces: tuple[TraceView, ...] | None = None
    """The newest first; None where the settings name no logs."""
    troubles: tuple[str, ...] = ()

    def plan(self, name: str) -> PlanView | None:
        """The plan of exactly this name."""
        return next((plan for plan in self.plans if plan.name == name), None)

    def to_json(self) -> str:
        """All of it but the runs, which the records hold."""
        fields = asdict(replace(self, plans=tuple(replace(plan, runs=()) for plan in self.plans)))
        for plan in fields["plans"]:
            del plan["runs"]
        return json.dumps(fields, indent=2)


def headline(plan: PlanView) -> str:
    """Who serves, who owns, and whether one can go back, in one sentence without figures that always change."""
    status = plan.status
    if status is None or status.owner == UNKNOWN:
        return f"{plan.name}: nobody can say now who serves and who owns"
    reads = f"{status.reads_to_service:g}% of the reads go to {status.service}"
    if status.reads_to_service in (0, 100):
        reads = f"{status.service if status.reads_to_service else MONOLITH} answers all reads"
    # Before anything is done there is nothing to go back from.
    back = "one can go back" if status.back.possible else "one cannot go back now"
    begun = status.applied or status.half_done
    return f"{plan.name}: {status.owner} owns, {reads}" + (f", {back}" if begun else ", nothing is done yet")


def age(at: str, then: str) -> float:
    """Seconds from a moment to a later one, both in ISO 8601."""
    return max((_moment(at) - _moment(then)).total_seconds(), 0.0)


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
