"""ArchiveTables: the tombstones' rows go into files that are read back before they count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace
from datetime import timedelta
from pathlib import PurePath

from strangler.plans.errors import PlanError
from strangler.plans.operations.base import Operation, freeze
from strangler.plans.operations.retire_tables import check_whole_move, retirement
from strangler.plans.state import Archived, PlanKey, ProjectState
from strangler.plans.world import World


@dataclass(frozen=True)
class ArchiveTables(Operation):
    """Write each retired table of the move to a CSV file with its shape and checksums, and restore it to see it whole.

    Refused until `after` has passed since RetireTables, by the clock of the monolith's database. Run again after a
    crash, it keeps what is whole and writes the rest anew. Going back removes the files; the tables are still there.
    """

    models: tuple[str, ...]
    _: KW_ONLY
    to: str
    """A directory, relative to the project's root unless it is absolute."""
    after: timedelta

    def __post_init__(self) -> None:
        freeze(self, "models", self.models)
        if not PurePath(self.to).parts:
            raise ValueError('ArchiveTables: "to" names no directory; name one')
        check_after(self, self.after)

    @property
    def final(self) -> bool:
        return True

    def describe(self) -> str:
        return f"Archive tables {', '.join(self.models)} to {self.to}, {self.after} after they were retired"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        check_whole_move(self, self.models, plan, state)
        for label in self.models:
            if label not in state.retired_tables:
                raise PlanError(f'"{label}" is archived before it is retired; put RetireTables before')
            if state.archive_of(label):
                raise PlanError(f'"{label}" is archived already; name it once')
        archived = tuple(Archived(plan=plan.name, model=label, to=self.to) for label in self.models)
        return replace(state, archived=(*state.archived, *archived))

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        with retirement(world, after, self.models) as retired:
            for refusal in retired.archive_refusals(self.after):
                yield f"-- would be refused now: {refusal}"
        for table in after.tables(self.models):
            yield f"-- files: {self.to}/{table} as .csv, .sql and .sha256; then restored into a temporary table"

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        for table in after.tables(self.models):
            yield f"-- files: remove the archive of {table} from {self.to}"

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        with retirement(world, after, self.models) as retired:
            if refusal := next(retired.archive_refusals(self.after), None):
                raise PlanError(refusal)
            for table in retired.names:
                archive = retired.archive(table, world.root / self.to)
                world.emit("step", step="archived", table=table, rows=archive.rows, sha256=archive.data_sha256)

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        with retirement(world, after, self.models) as retired:
            for table in retired.names:
                retired.forget_archive(table, world.root / self.to)
                world.emit("step", step="archive removed", table=table)


def check_after(operation: Operation, after: timedelta) -> None:
    """Raises ValueError where a waiting time is none."""
    if not isinstance(after, timedelta) or after < timedelta(0):
        raise ValueError(f"{type(operation).__name__}: after {after!r} is no waiting time; write timedelta(days=7)")
