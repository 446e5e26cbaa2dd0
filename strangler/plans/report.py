"""What the commands show of plans: values and their text, without effects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from strangler.plans.agreement import disagreement
from strangler.plans.plan import Plan
from strangler.plans.project import Project
from strangler.plans.recorder import PlanRecorder
from strangler.plans.standing import Position

_MARKS = {"applied": "X", "half done": "~", "open": " ", "unknown": "?"}


@dataclass(frozen=True, kw_only=True)
class OperationReport:
    """One operation and whether it is "applied", "half done" or "open"; "unknown" where the record is damaged."""

    number: int
    operation: str
    state: str
    final: bool

    def __str__(self) -> str:
        return f" [{_MARKS[self.state]}] {self.number}. {self.operation}" + (" (final)" if self.final else "")


@dataclass(frozen=True, kw_only=True)
class PlanReport:
    """One plan with all its operations, and what is wrong with it or its record."""

    plan: str
    service: str
    dependencies: tuple[str, ...]
    squash: str
    """Name of the squash that it stands in, or nothing."""
    operations: tuple[OperationReport, ...]
    problems: tuple[str, ...]

    @property
    def applied(self) -> int:
        return sum(operation.state == "applied" for operation in self.operations)

    @property
    def state(self) -> str:
        """In a word: "damaged", "open", "half done", "begun", "applied" or, the final ones included, "over"."""
        if self.problems:
            return "damaged"
        if any(operation.state == "half done" for operation in self.operations):
            return "half done"
        left = [operation for operation in self.operations if operation.state == "open"]
        if not left:
            return "over"
        if all(operation.final for operation in left):
            return "applied"
        return "begun" if self.applied else "open"

    def __str__(self) -> str:
        if self.squash and self.state == "over":
            return f"{self.plan} ({self.service}): all {self.applied} operations applied, squashed into {self.squash}"
        problems = [f" [!] {problem}" for problem in self.problems]
        return "\n".join([f"{self.plan} ({self.service})", *map(str, self.operations), *problems])


def report_plans(plans: Iterable[Plan], recorder: Callable[[Plan], PlanRecorder]) -> Iterator[PlanReport]:
    """What showplans shows, in the order of the plans. This is a read-only operation."""
    for plan in plans:
        yield report_plan(plan, recorder(plan))


def report_plan(plan: Plan, recorder: PlanRecorder) -> PlanReport:
    """One plan beside its record. This is a read-only operation."""
    problems, position = recorder.read().faults, None
    if not problems:
        position = recorder.position()
        problems = tuple(filter(None, [disagreement(plan, recorder)]))
    return PlanReport(
        plan=plan.name,
        service=plan.key.service,
        dependencies=tuple(plan.dependencies),
        squash=plan.squash,
        operations=tuple(
            OperationReport(
                number=number, operation=operation.describe(), state=_state(number, position), final=operation.final
            )
            for number, operation in enumerate(plan.operations, start=1)
        ),
        problems=problems,
    )


def check_plans(project: Project, recorder: Callable[[Plan], PlanRecorder]) -> tuple[str, ...]:
    """What is wrong with the records of plans that fit each other; a sentence each. This is a read-only operation.

    Raises PlanError where the plans do not fit.
    """
    project.final_state()
    return tuple(problem for report in report_plans(project.plans, recorder) for problem in report.problems)


def _state(number: int, position: Position | None) -> str:
    if position is None:
        return "unknown"
    if number <= position.lowest:
        return "applied"
    return "half done" if number <= position.highest else "open"
