"""ContractTable: the old shape of a split ends; the narrow table counts, and may move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace

from strangler.plans.databases import MONOLITH
from strangler.plans.errors import PlanError
from strangler.plans.operations.base import Operation
from strangler.plans.operations.split_table import connected, refuse, run, shown
from strangler.plans.state import PlanKey, ProjectState
from strangler.plans.world import World


@dataclass(frozen=True)
class ContractTable(Operation):
    """End the old shape of a SplitTable: nobody changes the old columns any more, and nothing keeps them equal.

    The code that runs must know the new shape only, and write rows of the wide table without the old columns. To drop
    these is a migration of the project's own, when it will not go back any more.
    """

    model: str
    _: KW_ONLY
    into: str

    def describe(self) -> str:
        return f"Contract {self.model}, split into {self.into}"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        split = state.split_of(self.model)
        if split is None or (split.model, split.into) != (self.model, self.into):
            raise PlanError(f'"{self.model}" is not split into "{self.into}"; put SplitTable before')
        if split.plan != plan.name:
            raise PlanError(f'"{self.model}" is split by plan "{split.plan}"; contract it there')
        if split.contracted:
            raise PlanError(f'"{self.model}" is contracted already; name it once')
        others = tuple(entry for entry in state.splits if entry != split)
        return replace(state, splits=(*others, replace(split, contracted=True)))

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        with connected(world, after) as shapes:
            for refusal in shapes.contract_refusals():
                yield f"-- would be refused now: {refusal}"
            yield f"-- {MONOLITH}: compare both; keep them equal no longer, and refuse the old columns"
            yield from shown(shapes.contract())

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        with connected(world, after) as shapes:
            for refusal in shapes.part_refusals():
                yield f"-- would be refused now: {refusal}"
            yield f"-- {MONOLITH}: keep both equal"
            yield from shown(shapes.expand_guarded())
            yield f"-- {MONOLITH}: fill the old columns from {shapes.narrow}, compare both, then let them be written"
            yield from shown(shapes.unguard())

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        with connected(world, after) as shapes:
            refuse(shapes.contract_refusals())
            run(world, after, lambda shapes: shapes.contract())
        world.emit("step", step="the old columns are refused")

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        with connected(world, after) as shapes:
            # The guard stays until the old columns are right: nothing that is old may flow from them.
            if shapes.contracted():
                refuse(shapes.part_refusals())
                run(world, after, lambda shapes: shapes.expand_guarded())
                world.emit("step", step="both shapes are kept equal")
                shapes.fill_back()
                shapes.check_equal()
                run(world, after, lambda shapes: shapes.unguard())
        world.emit("step", step="the old columns are back")
