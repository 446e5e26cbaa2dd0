"""RetireTables: the monolith's tables become tombstones; from here on there is no way back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from strangler.plans.databases import MONOLITH
from strangler.plans.errors import PlanError
from strangler.plans.operations.base import Operation, freeze
from strangler.plans.state import PlanKey, ProjectState
from strangler.plans.world import World
from strangler.split.retirement import Retirement
from strangler.split.store import Role


@dataclass(frozen=True)
class RetireTables(Operation):
    """Complete the move: stop the changes that flow back, and leave the monolith's tables behind their fences.

    From here on their waiting time runs: ArchiveTables and DropTables may follow, each apart.
    """

    models: tuple[str, ...]

    def __post_init__(self) -> None:
        freeze(self, "models", self.models)

    @property
    def reversible(self) -> bool:
        return False

    @property
    def final(self) -> bool:
        return True

    def describe(self) -> str:
        return f"Retire tables {', '.join(self.models)}"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        check_whole_move(self, self.models, plan, state)
        if not state.routed_by(plan.name):
            raise PlanError("put MoveRoutes before RetireTables; the routes still lead to the monolith's tables")
        return replace(state, retired_tables=(*state.retired_tables, *self.models))

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield f"-- {world.plan.service}: mark move {world.plan.name} as done; it cannot be reversed any more"
        for entry in after.moved_by(world.plan.name):
            yield f"-- monolith: {after.schema.model(entry.model).table}{entry.condition} stays fenced as a tombstone"

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield from ()

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        # Strictly, before the way back is closed: no proxy may still lead anybody to the monolith's tables.
        world.publish_routes()
        world.move(after).complete(world.traffic, world.on_step)
        with world.databases.connect(MONOLITH) as store:
            store.note_tombstones(world.plan.name, after.tables(self.models))

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        raise PlanError(f"{self.describe()} cannot be undone")


def check_whole_move(operation: Operation, models: tuple[str, ...], plan: PlanKey, state: ProjectState) -> None:
    """All tables of a plan's move go together. Raises PlanError where one is missing, or one is not of it."""
    moved = {entry.model for entry in state.moved_by(plan.name)}
    for label in models:
        state.schema.model(label)
        if label not in moved:
            raise PlanError(f'"{label}" is retired before it is moved; put it into MoveTables of this plan first')
    if left := sorted(moved.difference(models)):
        raise PlanError(f'a move is completed as a whole; {type(operation).__name__} must name "{left[0]}" too')
    if not models:
        raise PlanError(f"{type(operation).__name__} names no model; name those of the plan's MoveTables")


@contextmanager
def retirement(world: World, state: ProjectState, models: tuple[str, ...]) -> Iterator[Retirement]:
    """The retirement of models of the plan's move, over a connection to the monolith's database."""
    with world.databases.connect(MONOLITH) as store:
        where = {
            state.schema.model(entry.model).table: entry.where
            for entry in state.moved_by(world.plan.name)
            if entry.where is not None
        }
        yield Retirement(
            store=store,
            applier=lambda: world.databases.connect(MONOLITH, Role.APPLIER),
            move=world.plan.name,
            names=state.tables(models),
            where=where,
        )
