"""RetireTables: the monolith's tables become tombstones; from here on there is no way back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from strangler.plans.errors import PlanError
from strangler.plans.operations.base import Operation, freeze
from strangler.plans.state import PlanKey, ProjectState
from strangler.plans.world import World


@dataclass(frozen=True)
class RetireTables(Operation):
    """Complete the move: stop the changes that flow back, and leave the monolith's tables behind their fences."""

    reversible: ClassVar[bool] = False
    final: ClassVar[bool] = True

    models: tuple[str, ...]

    def __post_init__(self) -> None:
        freeze(self, "models", self.models)

    def describe(self) -> str:
        return f"Retire tables {', '.join(self.models)}"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        moved = {entry.model for entry in state.moved_by(plan.name)}
        for label in self.models:
            state.schema.model(label)
            if label not in moved:
                raise PlanError(f'"{label}" is retired before it is moved; put it into MoveTables of this plan first')
        if left := sorted(moved.difference(self.models)):
            raise PlanError(f'a move is completed as a whole; RetireTables must name "{left[0]}" too')
        if not state.routed_by(plan.name):
            raise PlanError("put MoveRoutes before RetireTables; the routes still lead to the monolith's tables")
        return replace(state, retired_tables=(*state.retired_tables, *self.models))

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield f"-- {world.plan.service}: mark move {world.plan.name} as done; it cannot be reversed any more"
        for label in self.models:
            yield f"-- monolith: {after.schema.model(label).table} stays fenced as a tombstone"

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield from ()

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        # Strictly, before the way back is closed: no proxy may still lead anybody to the monolith's tables.
        world.publish_routes()
        world.move(after).complete(world.traffic, world.on_step)

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        raise PlanError(f"{self.describe()} cannot be undone")
