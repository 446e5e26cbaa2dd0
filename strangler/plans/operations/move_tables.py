"""MoveTables: copy the tables, follow their changes, verify; the monolith goes on owning them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from strangler.plans.errors import PlanError
from strangler.plans.operations.base import Operation, freeze
from strangler.plans.schema import Field, Model
from strangler.plans.state import Moved, PlanKey, ProjectState
from strangler.plans.world import World

CATCH_UP_SECONDS = 300.0


@dataclass(frozen=True)
class MoveTables(Operation):
    """Bring an aggregate's tables, and the copies declared before, to the service's database and keep them there.

    Ownership passes later, with MoveRoutes.
    """

    models: tuple[str, ...]

    def __post_init__(self) -> None:
        freeze(self, "models", self.models)

    def describe(self) -> str:
        return f"Move tables {', '.join(self.models)}"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        if not self.models:
            raise PlanError("MoveTables names no model; name at least one")
        if state.moved_by(plan.name):
            raise PlanError("a plan moves its tables at once; name them all in one MoveTables")
        for label in self.models:
            _check_alone(state.schema.with_table(label), state)
            if moved := state.move_of(label):
                raise PlanError(f'table of "{label}" has moved already, with plan "{moved.plan}"')
            if any((r.service, r.model) == (plan.service, label) for r in state.replicated):
                raise PlanError(f'"{label}" is replicated to "{plan.service}"; it cannot move there as well')
            if self.models.count(label) > 1:
                raise PlanError(f'"{label}" is named twice in MoveTables; name it once')
        entries = tuple(Moved(plan=plan.name, service=plan.service, model=label) for label in self.models)
        after = replace(state, moved=(*state.moved, *entries))
        for model in state.schema.models:
            for field in model.fields:
                _check_boundary(model, field, after, plan)
            _check_generic(model, after, plan)
        return after

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield f"-- both databases: set up move {world.plan.name}"
        yield from world.move(after).effects()
        for entry in after.replicated_by(world.plan.name):
            yield f"-- copy {after.schema.model(entry.model).table} ({', '.join(entry.columns)})"
        for label in self.models:
            yield f"-- copy {after.schema.model(label).table}"
        yield "-- catch up, then compare both sides row by row"

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield f"-- both databases: drop the captures, fences and claims of {world.plan.name}"
        for label in (*self.models, *(entry.model for entry in after.replicated_by(world.plan.name))):
            yield f"-- {world.plan.service}: empty {after.schema.model(label).table}"
        yield f"-- proxies: forget the routes of {world.plan.name}"

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        move = world.move(after)
        move.create()
        world.emit("step", step="created")
        move.copy(lambda at: world.emit("progress", table=at.table, rows=at.rows, total=at.total))
        world.emit("step", step="copied")
        move.catch_up(CATCH_UP_SECONDS)
        world.emit("step", step="caught up")
        verification = move.verify()
        world.emit("step", step="verified", equal=verification.equal, rows=verification.rows, verdict=str(verification))
        if not verification.equal:
            raise PlanError(f"the two sides differ: {verification}; run the plan again or go back")

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        world.move(after).cancel()
        world.emit("step", step="cancelled")
        world.publish_routes()


def _check_alone(model: Model, state: ProjectState) -> None:
    """Refuse a table that two models use: one of them would go on to read what has moved."""
    if others := [other.label for other in state.schema.on_table(model.table) if other != model]:
        raise PlanError(
            f'"{model.label}" and "{others[0]}" use one table, "{model.table}"; take one of the two out of the code'
        )


def _check_boundary(model: Model, field: Field, state: ProjectState, plan: PlanKey) -> None:
    """Refuse a foreign key that the plan's boundary would cross while the database or Django still enforces it."""
    if field.references is None or not _crosses(model.label, field.references, state, plan):
        return
    name = f"{model.label}.{field.name}"
    if field.parent_link:
        raise PlanError(
            f'"{model.label}" inherits from "{field.references}", and a row of it is a row in both tables; '
            "name both in MoveTables"
        )
    if model.auto_created:
        raise PlanError(
            f'"{name}" would point from one service to another, in the hidden table of "{model.auto_created}"; name '
            f'"{model.label}" and both ends in MoveTables, or give the field a "through" model'
        )
    if not state.is_cut(name):
        raise PlanError(f'foreign key "{name}" points from one service to another; cut it before with CutForeignKey')
    if field.deletion_touches_rows:
        kind = (field.on_delete or "").rpartition(".")[2]
        raise PlanError(
            f'deleting a "{field.references}" would make Django reach the rows of "{model.label}" through '
            f'"{name}" (on_delete {kind}); give it an on_delete of your own that knows when the table has moved, '
            "or one of strangler.deletion"
        )
    if field.clean_up and state.move_of(field.references):
        raise PlanError(
            f'nobody would tell the rows of "{model.label}" that a "{field.references}" is gone, once that has moved; '
            f'give "{name}" an on_delete of your own, and let the service tell'
        )


def _check_generic(model: Model, state: ProjectState, plan: PlanKey) -> None:
    """Refuse pointers of two columns that cross the boundary unsaid, and the deletions that follow them."""
    moved = state.move_of(model.label)
    for key in model.generic_keys if moved and moved.plan == plan.name else ():
        name = f"{model.label}.{key.name}"
        if not state.is_cut(name):
            raise PlanError(f'"{name}" may point at anything, in the monolith too; say so with CutForeignKey')
    for name, other in model.generic_relations:
        if _crosses(model.label, other, state, plan):
            raise PlanError(
                f'deleting a "{model.label}" would make Django delete rows of "{other}" through its relation "{name}", '
                "which is to live elsewhere; take that field out, and have the deletion followed otherwise"
            )


def _crosses(one: str, other: str, state: ProjectState, plan: PlanKey) -> bool:
    """Whether the two models live apart, and one of them by this plan."""
    here, there = state.move_of(one), state.move_of(other)
    inside = [entry for entry in (here, there) if entry and entry.plan == plan.name]
    return bool(inside) and not (here and there and here.service == there.service)
