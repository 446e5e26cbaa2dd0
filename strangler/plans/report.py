"""What the commands show of plans: values and their text, without effects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from strangler.plans.plan import Plan
from strangler.plans.project import Project
from strangler.plans.recorder import PlanRecorder


@dataclass(frozen=True, kw_only=True)
class OperationReport:
    """One operation and whether it is "applied", "half done" or "open"."""

    number: int
    operation: str
    state: str
    final: bool

    def __str__(self) -> str:
        mark = {"applied": "X", "half done": "~"}.get(self.state, " ")
        return f" [{mark}] {self.number}. {self.operation}" + (" (final)" if self.final else "")


@dataclass(frozen=True, kw_only=True)
class PlanReport:
    """One plan with all its operations."""

    plan: str
    service: str
    operations: tuple[OperationReport, ...]

    def __str__(self) -> str:
        return "\n".join([f"{self.plan} ({self.service})", *map(str, self.operations)])


def report_plans(project: Project, recorder: Callable[[Plan], PlanRecorder]) -> Iterator[PlanReport]:
    """What showplans shows, in the order of the plans. This is a read-only operation."""
    for plan in project.plans:
        position = recorder(plan).position()
        yield PlanReport(
            plan=plan.name,
            service=plan.key.service,
            operations=tuple(
                OperationReport(
                    number=number,
                    operation=operation.describe(),
                    state=_state(number, position.lowest, position.highest),
                    final=operation.final,
                )
                for number, operation in enumerate(plan.operations, start=1)
            ),
        )


def _state(number: int, lowest: int, highest: int) -> str:
    if number <= lowest:
        return "applied"
    return "half done" if number <= highest else "open"
