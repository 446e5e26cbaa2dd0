"""What RunSQL and RunPython have in common."""

from __future__ import annotations

from dataclasses import replace

from strangler.plans.databases import MONOLITH, SERVICE
from strangler.plans.operations.base import Operation
from strangler.plans.state import PlanKey, ProjectState, Run


def check_reverse(operation: Operation, reverse: object, irreversible: str | None) -> None:
    """Exactly one of the two must be given. Raises ValueError."""
    name = type(operation).__name__
    if reverse is None and not irreversible:
        raise ValueError(f'{name} needs its reverse, or irreversible="why"')
    if reverse is not None and irreversible is not None:
        raise ValueError(f"{name} has a reverse and is irreversible; choose one")


def check_database(operation: Operation, database: str) -> None:
    """Raises ValueError where there is no such database."""
    if database not in (MONOLITH, SERVICE):
        raise ValueError(f'{type(operation).__name__}: database "{database}" is neither "{MONOLITH}" nor "{SERVICE}"')


def with_run(state: ProjectState, plan: PlanKey, database: str) -> ProjectState:
    """The state with one more run of the plan; its number in the plan is the name of its record."""
    number = sum(run.plan == plan.name for run in state.runs) + 1
    return replace(state, runs=(*state.runs, Run(plan=plan.name, number=number, database=database)))
