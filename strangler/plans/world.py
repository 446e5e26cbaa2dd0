"""The collaborators that an executor hands to operations; there is no other way for them to reach anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from strangler_proxy.cohorts import Cohorts

from strangler.plans.databases import Databases
from strangler.plans.tasks import CeleryTasks
from strangler.rollout.fleet import Fleet
from strangler.rollout.rollout import Asked, Wish

if TYPE_CHECKING:
    from strangler.plans.standing import Entry
    from strangler.plans.state import PlanKey, ProjectState
    from strangler.split import Side, Step, SwitchReport, Traffic, Verification
    from strangler.split.copying import CopyProgress
    from strangler.split.status import Routing

OnStep = Callable[["Step", Mapping[str, Any]], None]


class Emit(Protocol):
    """Record an event between two effects. The facts never hold secrets."""

    def __call__(self, event: str, /, **facts: object) -> None: ...


class Mover(Protocol):
    """What operations use of a `strangler.split.Move`; see there for the promises."""

    def create(self) -> list[str]: ...
    def copy(self, on_progress: Callable[[CopyProgress], None], /) -> object: ...
    def catch_up(self, seconds: float, /) -> None: ...
    def verify(self) -> Verification: ...
    def switch(self, to: Side, traffic: Traffic, on_step: OnStep, /) -> SwitchReport: ...
    def recover(self, traffic: Traffic, on_step: OnStep, /) -> object: ...
    def set_weight(self, weight: int, shadow: int, early: bool, /) -> Routing: ...
    def routing(self) -> Routing | None: ...
    def complete(self, traffic: Traffic, on_step: OnStep, /) -> None: ...
    def cancel(self) -> None: ...
    def effects(self) -> Iterator[str]: ...


class Migrations(Protocol):
    """The monolith's Django migrations."""

    def is_applied(self, app: str, name: str) -> bool:
        """Raises PlanError where there is no such migration."""
        ...

    def apply(self, app: str, name: str) -> None:
        """Migrate forwards to this migration, those before it included."""
        ...

    def unapply(self, app: str, name: str) -> None:
        """Migrate back to the one before it."""
        ...

    def sql(self, app: str, name: str, *, undo: bool = False) -> list[str]:
        """The statements of `apply`, or of `unapply`. This is a read-only operation."""
        ...


class Tasks(Protocol):
    """A Celery application of the project; see `strangler.plans.tasks` for the promises."""

    def refusals(self, task: str, queue: str, /) -> Iterator[str]: ...
    def queue_of(self, task: str, /) -> str: ...
    def held(self, task: str, queue: str, /) -> Mapping[str, int]: ...


class Readers(Protocol):
    """The proxies, as far as clients read their own writes; see `strangler.rollout.fleet.Fleet`."""

    def moments(self) -> Mapping[str, int]: ...
    def arrived(self, move: str, moments: Mapping[str, int], /) -> None: ...


class Wishes(Protocol):
    """What a person asked of the plan's rollout; see `strangler.plans.wishes`."""

    def prepare(self) -> None: ...
    def current(self) -> Asked: ...
    def fulfilled(self, wish: Wish, /) -> None: ...


class NobodyAsks:
    """Wishes where there is nobody to have any."""

    def prepare(self) -> None:
        pass

    def current(self) -> Asked:
        return Asked()

    def fulfilled(self, wish: Wish, /) -> None:
        pass


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything an operation of one plan may touch."""

    plan: PlanKey
    root: Path
    """Of the project, for paths of code."""
    migrations: Migrations
    move: Callable[[ProjectState], Mover]
    """The plan's move as a state declares it."""
    traffic: Traffic
    """The proxies, as far as the plan's move is concerned."""
    publish_routes: Callable[[], None]
    """Send the route table to all proxies as it follows from the databases now."""
    gate: Callable[[], None]
    """Ask the service once; raises StranglerError where it is not fit to answer."""
    emit: Emit
    databases: Databases = field(default_factory=Databases)
    """For operations that speak SQL themselves."""
    tasks: Callable[[str], Tasks] = CeleryTasks.load
    """The Celery application at a dotted path; raises PlanError."""

    rehearsals: Callable[[], None] = lambda: None
    """Ask once whether the service can rehearse writes; raises StranglerError where that is not known."""
    cohorts: Callable[[Routing], Cohorts] = lambda routing: Cohorts()
    """What the reads came to that the proxies routed by this version; raises StranglerError where one does not tell."""
    readers: Readers = field(default_factory=lambda: Fleet(engines=()))
    """Who keeps clients with the owner until their writes have arrived at the service."""
    wishes: Wishes = field(default_factory=NobodyAsks)
    entries: Callable[[], Iterable[Entry]] = tuple
    """What the plan's record says so far."""
    ask_workers: Callable[[], Mapping[str, object]] = dict
    """Ask others to help with the plan's copy; what was asked, or nothing."""

    def on_step(self, step: Step, facts: Mapping[str, Any]) -> None:
        """Record a step of a switch."""
        self.emit("step", step=str(step), **facts)
