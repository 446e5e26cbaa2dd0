"""The one move that carries all tables of a plan, as a state declares it."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from strangler.plans.errors import PlanError
from strangler.plans.schema import Schema
from strangler.plans.state import PlanKey, ProjectState
from strangler.split.spec import MoveSpec, Replica


def move_spec(plan: PlanKey, state: ProjectState) -> MoveSpec:
    """The plan's tables, parents before children, under the plan's name. Raises PlanError where it carries none."""
    moved = state.moved_by(plan.name)
    models = [entry.model for entry in moved]
    if not state.carried_by(plan.name):
        raise PlanError(f'plan "{plan.name}" moves and replicates no tables; there is nothing of it to be compared')
    replicated = tuple(
        Replica(table=state.schema.model(entry.model).table, columns=entry.columns)
        for entry in state.replicated_by(plan.name)
    )
    if models and set(models) <= set(state.dropped_tables):
        return RetiredSpec(name=plan.name, moved=(), replicated=replicated)
    return MoveSpec(
        name=plan.name,
        moved=state.tables(parents_first(models, state.schema)),
        replicated=replicated,
        where={state.schema.model(entry.model).table: entry.where for entry in moved if entry.where is not None},
    )


class RetiredSpec(MoveSpec):
    """A move whose tables are dropped at the source; what is left of it are its copies, which go on."""

    def __post_init__(self) -> None:
        """It moves nothing any more, which a MoveSpec refuses."""


def parents_first(labels: list[str], schema: Schema) -> tuple[str, ...]:
    """The models in an order in which every row comes after those that it points at. Raises PlanError on a cycle."""
    parents = {
        label: [
            field.references
            for field in schema.model(label).fields
            if field.references in labels and field.references != label
        ]
        for label in labels
    }
    try:
        return tuple(TopologicalSorter(parents).static_order())
    except CycleError as error:
        cycle = " -> ".join(error.args[1])
        raise PlanError(f"models point at each other in a cycle, {cycle}; cut one of the foreign keys") from None
