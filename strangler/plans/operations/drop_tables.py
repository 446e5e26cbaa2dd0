"""DropTables: the tombstones go; what is left of the tables is their archive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace
from datetime import timedelta
from pathlib import Path

from strangler.plans.databases import MONOLITH
from strangler.plans.errors import PlanError
from strangler.plans.operations.archive_tables import check_after
from strangler.plans.operations.base import Operation, freeze
from strangler.plans.operations.retire_tables import check_whole_move, retirement
from strangler.plans.state import PlanKey, ProjectState
from strangler.plans.world import World


@dataclass(frozen=True)
class DropTables(Operation):
    """Drop the archived tables of the move from the monolith's database, fences and captures included.

    Refused until `after` has passed since ArchiveTables, unless the archives still have their checksums, and unless
    the tables still are what the archives hold. A table that others point at or look through is not dropped.
    After MoveRows the moved rows are deleted, and the tables stay with those of the others.
    """

    models: tuple[str, ...]
    _: KW_ONLY
    after: timedelta

    def __post_init__(self) -> None:
        freeze(self, "models", self.models)
        check_after(self, self.after)

    @property
    def reversible(self) -> bool:
        return False

    @property
    def final(self) -> bool:
        return True

    def describe(self) -> str:
        return f"Drop tables {', '.join(self.models)}, {self.after} after they were archived"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        check_whole_move(self, self.models, plan, state)
        for label in self.models:
            if state.archive_of(label) is None:
                raise PlanError(f'"{label}" is dropped before it is archived; put ArchiveTables before')
            if label in state.dropped_tables:
                raise PlanError(f'"{label}" is dropped already; name it once')
        return replace(state, dropped_tables=(*state.dropped_tables, *self.models))

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        with retirement(world, after, self.models) as retired:
            for refusal in retired.drop_refusals(self._directory(world, after), self.after):
                yield f"-- would be refused now: {refusal}"
        rows = [entry for entry in after.moved_by(world.plan.name) if entry.where is not None]
        if rows:
            yield f"-- {MONOLITH}: compare with the archives, then delete a few at a time; tables and fences stay"
            for entry in rows:
                yield f"DELETE FROM {after.schema.model(entry.model).table}{entry.condition};"  # noqa: S608 - shown only
            return
        yield f"-- {MONOLITH}: compare with the archives, then drop with fences and captures"
        yield f"DROP TABLE {', '.join(after.tables(self.models))};"

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield from ()

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        with retirement(world, after, self.models) as retired:
            for archive in retired.drop(self._directory(world, after), self.after):
                world.emit("step", step="dropped", table=archive.relation, rows=archive.rows)

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        raise PlanError(f"{self.describe()} cannot be undone; the archive holds the rows")

    def _directory(self, world: World, state: ProjectState) -> Path:
        archived = state.archive_of(self.models[0])
        return world.root / (archived.to if archived else "")
