"""Who owns each table and each route after N operations: pure, frozen, compared by value."""

from __future__ import annotations

from dataclasses import dataclass

from strangler_proxy.clients import CLIENT

from strangler.plans.schema import Schema

MONOLITH = "monolith"


@dataclass(frozen=True, kw_only=True)
class PlanKey:
    """What an operation must know of the plan it stands in."""

    name: str
    service: str
    copies_alone: int = 0
    """How many tables it replicates, where it moves none that would bring these along."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A foreign key without a constraint in the database; its column stays."""

    plan: str
    field: str
    migration: str | None
    """None where there never was a constraint."""

    @property
    def app(self) -> str:
        return self.field.partition(".")[0]


@dataclass(frozen=True, kw_only=True)
class Cleanup:
    """What the service owes when a row is deleted that its rows point at; noted by a trigger on that row's table."""

    service: str
    field: str
    column: str
    on_delete: str
    references: str
    references_column: str


@dataclass(frozen=True, kw_only=True)
class Replicated:
    """A staying model of which a service keeps a read-only copy of some columns."""

    plan: str
    service: str
    model: str
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A model whose table a service owns, or some rows of it."""

    plan: str
    service: str
    model: str
    where: str | None = None
    """The rows, in SQL over their own columns; None: all."""

    @property
    def condition(self) -> str:
        """As SQL has it behind a table's name, in one line to be read; empty where the whole table moves."""
        return "" if self.where is None else f" WHERE {' '.join(self.where.split())}"


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """How a plan's reads are shared before the switch, as `strangler_proxy.routes.MoveRoutes` has it."""

    ignore: tuple[str, ...] = ()
    shadow_writes: int = 0
    key: str = CLIENT
    early: tuple[str, ...] = ()
    only_routes: tuple[str, ...] = ()
    only_methods: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Routed:
    """A route that a service answers."""

    plan: str
    service: str
    pattern: str
    sharing: Sharing = Sharing()
    """The same for all routes of a plan."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Columns of a model that are in a narrow one too; once contracted, in that one only."""

    plan: str
    model: str
    columns: tuple[str, ...]
    into: str
    contracted: bool = False


@dataclass(frozen=True, kw_only=True)
class Archived:
    """A retired table whose rows are in files below a directory."""

    plan: str
    model: str
    to: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """Work of a plan's own: its number among the plan's, and the database that holds its record."""

    plan: str
    number: int
    database: str


@dataclass(frozen=True, kw_only=True)
class CopiedSequence:
    """A sequence whose numbers a service goes on with."""

    plan: str
    name: str


@dataclass(frozen=True, kw_only=True)
class MovedTask:
    """A Celery task that a service's workers run."""

    plan: str
    service: str
    task: str
    queue: str


@dataclass(frozen=True, kw_only=True)
class ProjectState:
    """The whole architecture at one point of the plans; what is not named here is the monolith's."""

    schema: Schema
    cuts: tuple[Cut, ...] = ()
    cleanups: tuple[Cleanup, ...] = ()
    replicated: tuple[Replicated, ...] = ()
    splits: tuple[Split, ...] = ()
    moved: tuple[Moved, ...] = ()
    routed: tuple[Routed, ...] = ()
    retired_tables: tuple[str, ...] = ()
    archived: tuple[Archived, ...] = ()
    dropped_tables: tuple[str, ...] = ()
    retired_code: tuple[str, ...] = ()
    runs: tuple[Run, ...] = ()
    sequences: tuple[CopiedSequence, ...] = ()
    tasks: tuple[MovedTask, ...] = ()

    def owner_of_table(self, label: str) -> str:
        """The service that owns a model's table, or the monolith."""
        entry = self.move_of(label)
        return entry.service if entry else MONOLITH

    def owner_of_route(self, pattern: str) -> str:
        """The service that answers exactly this pattern, or the monolith."""
        return next((route.service for route in self.routed if route.pattern == pattern), MONOLITH)

    def move_of(self, label: str) -> Moved | None:
        return next((entry for entry in self.moved if entry.model == label), None)

    def split_of(self, label: str) -> Split | None:
        """The split that a model takes part in, on either side."""
        return next((entry for entry in self.splits if label in (entry.model, entry.into)), None)

    def archive_of(self, label: str) -> Archived | None:
        return next((entry for entry in self.archived if entry.model == label), None)

    def tables(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        """The tables of models. Raises PlanError where there is no such model."""
        return tuple(self.schema.model(label).table for label in labels)

    def is_cut(self, field: str) -> bool:
        return any(cut.field == field for cut in self.cuts)

    def moved_by(self, plan: str) -> tuple[Moved, ...]:
        return tuple(entry for entry in self.moved if entry.plan == plan)

    def replicated_by(self, plan: str) -> tuple[Replicated, ...]:
        return tuple(entry for entry in self.replicated if entry.plan == plan)

    def carried_by(self, plan: str) -> bool:
        """Whether a move carries tables of the plan, to be owned or to be read."""
        return bool(self.moved_by(plan) or self.replicated_by(plan))

    def routed_by(self, plan: str) -> tuple[Routed, ...]:
        return tuple(entry for entry in self.routed if entry.plan == plan)
