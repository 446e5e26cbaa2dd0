"""ReplicateTable: the service keeps a read-only copy of some columns of a table that stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace

from strangler.plans.errors import PlanError
from strangler.plans.operations import bringing
from strangler.plans.operations.base import Operation, freeze
from strangler.plans.state import PlanKey, ProjectState, Replicated
from strangler.plans.world import World


@dataclass(frozen=True)
class ReplicateTable(Operation):
    """Declare what the service needs of a staying table. The plan's MoveTables copies it and keeps it fresh.

    In a plan that moves nothing the last one does that, for all of them.
    """

    model: str
    _: KW_ONLY
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        freeze(self, "columns", self.columns)

    def describe(self) -> str:
        return f"Replicate {self.model} ({', '.join(self.columns)})"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        model = state.schema.with_table(self.model)
        columns = {field.column: field for field in model.fields}
        if unknown := [name for name in self.columns if name not in columns]:
            raise PlanError(f'table "{model.table}" has no column "{unknown[0]}"; it has {", ".join(columns)}')
        if missing := [name for name, field in columns.items() if field.primary_key and name not in self.columns]:
            raise PlanError(f'the copy of "{self.model}" needs the key "{missing[0]}"; add it to the columns')
        if moved := state.move_of(self.model):
            raise PlanError(f'table of "{self.model}" has moved with plan "{moved.plan}"; it cannot be replicated')
        if any((r.service, r.model) == (plan.service, self.model) for r in state.replicated):
            raise PlanError(f'"{self.model}" is replicated to "{plan.service}" already; name all columns at once')
        if state.moved_by(plan.name):
            raise PlanError(f'put the ReplicateTable of "{self.model}" before MoveTables, which copies it')
        entry = Replicated(plan=plan.name, service=plan.service, model=self.model, columns=self.columns)
        return replace(state, replicated=(*state.replicated, entry))

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        if _brings(world.plan, after):
            yield from bringing.effects(world, after)
            return
        table = after.schema.model(self.model).table
        yield f"-- {table} ({', '.join(self.columns)}): declared here, copied and followed by {_who(world.plan)}"

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        if _brings(world.plan, after):
            yield from bringing.undo_effects(world, after)
            return
        yield f"-- {after.schema.model(self.model).table}: emptied by undoing {_who(world.plan)}"

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        """One move carries all tables of a plan, under one position: mostly nothing yet."""
        if _brings(world.plan, after):
            bringing.bring(world, after)

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        """The copies are emptied by what brought them: mostly nothing is left."""
        if _brings(world.plan, after):
            bringing.take_back(world, after)


def _brings(plan: PlanKey, after: ProjectState) -> bool:
    """Whether this is the last copy of a plan that moves nothing."""
    return 0 < plan.copies_alone == len(after.replicated_by(plan.name))


def _who(plan: PlanKey) -> str:
    return "the plan's last ReplicateTable" if plan.copies_alone else "MoveTables"
