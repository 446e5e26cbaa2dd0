"""What may not reach over the boundary between the monolith and a service. Pure."""

from __future__ import annotations

from strangler.plans.errors import PlanError
from strangler.plans.schema import Field, Model
from strangler.plans.state import PlanKey, ProjectState


def check_boundary(state: ProjectState, plan: PlanKey) -> None:
    """Refuse what would cross the plan's boundary in a state where its models have moved. Raises PlanError."""
    for model in state.schema.models:
        for field in model.fields:
            _check_key(model, field, state, plan)
        _check_generic(model, state, plan)


def check_alone(model: Model, state: ProjectState) -> None:
    """Refuse a table that two models use: one of them would go on to read what has moved."""
    if others := [other.label for other in state.schema.on_table(model.table) if other != model]:
        raise PlanError(
            f'"{model.label}" and "{others[0]}" use one table, "{model.table}"; take one of the two out of the code'
        )


def _check_key(model: Model, field: Field, state: ProjectState, plan: PlanKey) -> None:
    """Refuse a foreign key that the plan's boundary would cross while the database or Django still enforces it."""
    name = f"{model.label}.{field.name}"
    moved = state.move_of(model.label)
    if moved and moved.plan == plan.name and moved.where is not None and field.clean_up:
        raise PlanError(
            f'once rows of "{model.label}" have moved, the on_delete of "{name}" would leave those that stay alone as '
            "well; give it an on_delete of your own that knows which rows have moved"
        )
    if field.references is None or not _crosses(model.label, field.references, state, plan):
        return
    if field.parent_link:
        raise PlanError(
            f'"{model.label}" inherits from "{field.references}", and a row of it is a row in both tables; '
            "name both in one move"
        )
    if model.auto_created:
        raise PlanError(
            f'"{name}" would point from one service to another, in the hidden table of "{model.auto_created}"; name '
            f'"{model.label}" and both ends in one move, or give the field a "through" model'
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
