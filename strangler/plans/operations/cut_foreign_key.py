"""CutForeignKey: the constraint goes from the database, the column and the ORM's field stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace

from strangler.plans.errors import PlanError
from strangler.plans.operations.base import Operation
from strangler.plans.state import Cut, PlanKey, ProjectState
from strangler.plans.world import World


@dataclass(frozen=True)
class CutForeignKey(Operation):
    """Apply a migration of the monolith that drops a foreign key's constraint, such as `cutforeignkeys` writes.

    Several cuts may share one migration; it is undone last, with the first of them.
    """

    field: str
    _: KW_ONLY
    keep: str
    migration: str

    def describe(self) -> str:
        return f"Cut foreign key {self.field}, keep {self.keep}"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        model, field = state.schema.foreign_key(self.field)
        if field.column != self.keep:
            raise PlanError(f'"{self.field}" is stored in column "{field.column}", not in "{self.keep}"; keep that one')
        if state.is_cut(self.field):
            raise PlanError(f'foreign key "{self.field}" is cut already; remove one of the two')
        if state.move_of(model.label):
            raise PlanError(f'table of "{model.label}" has moved already; cut its foreign keys before')
        cut = Cut(plan=plan.name, field=self.field, migration=self.migration)
        return replace(state, cuts=(*state.cuts, cut))

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        cut = after.cuts[-1]
        if world.migrations.is_applied(cut.app, cut.migration) or _shared(cut, before):
            yield f"-- monolith: migration {cut.app}.{cut.migration} is applied already"
            return
        yield f"-- monolith: apply migration {cut.app}.{cut.migration}"
        yield from world.migrations.sql(cut.app, cut.migration)

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        cut = after.cuts[-1]
        if _shared(cut, before):
            yield f"-- monolith: migration {cut.app}.{cut.migration} is still needed by an earlier operation"
            return
        yield f"-- monolith: undo migration {cut.app}.{cut.migration}"
        yield from world.migrations.sql(cut.app, cut.migration, undo=True)

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        cut = after.cuts[-1]
        if world.migrations.is_applied(cut.app, cut.migration):
            return
        world.emit("progress", migration=f"{cut.app}.{cut.migration}")
        world.migrations.apply(cut.app, cut.migration)

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        cut = after.cuts[-1]
        if _shared(cut, before) or not world.migrations.is_applied(cut.app, cut.migration):
            return
        world.emit("progress", migration=f"{cut.app}.{cut.migration}", undone=True)
        world.migrations.unapply(cut.app, cut.migration)


def _shared(cut: Cut, before: ProjectState) -> bool:
    return any((other.app, other.migration) == (cut.app, cut.migration) for other in before.cuts)
