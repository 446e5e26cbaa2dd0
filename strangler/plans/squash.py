"""A squash: one folder that replaces the folders of several completed plans.

Its plans keep their names, since databases, records and other plans know them by these, and each keeps its record. So a
project that applied them before they were squashed has applied them, and a new one may apply them still.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, fields
from pathlib import Path
from typing import ClassVar

from strangler.plans.agreement import disagreement
from strangler.plans.errors import PlanError
from strangler.plans.operations import Operation
from strangler.plans.plan import Plan
from strangler.plans.recorder import PlanRecorder
from strangler.plans.source import source_of


@dataclass(frozen=True)
class Squashed:
    """One completed plan in a squash."""

    name: str
    _: KW_ONLY
    service: str
    operations: Sequence[Operation]
    dependencies: Sequence[str] = ()
    record: Sequence[str] = ()
    """Hashes of the lines with which its record ended."""


class Squash:
    """What the plan.py of a squash defines. Subclasses set `replaces`."""

    replaces: ClassVar[Sequence[Squashed]] = ()

    @classmethod
    def plans(cls, folder: Path) -> Iterator[tuple[str, type[Plan]]]:
        """The plans that it replaces, in their order: each with its name."""
        for one in cls.replaces:
            given = {field.name: getattr(one, field.name) for field in fields(one) if field.name != "name"}
            yield one.name, type("Plan", (Plan,), {**given, "squash": folder.name})


def write_squash(
    plans: Sequence[Plan], recorder: Callable[[Plan], PlanRecorder], load: Callable[[Path], tuple[Plan, ...]]
) -> Path:
    """Replace the plans' folders by one beside them; what else lies in them, the records above all, is kept.

    "load" reads the plans of a folder. Raises PlanError, and nothing is changed, where a plan is not over or would not
    come out as it was.
    """
    for plan in plans:
        _check_over(plan, recorder(plan))
    if len(plans) < 2:
        raise PlanError("one plan is not squashed; name at least two")
    text = source_of(plans, lambda plan: _end(plan, recorder(plan)))
    directory = plans[0].directory.parent
    name = f"{plans[0].name[:4]}_squashed_{plans[-1].name}"
    hidden = directory / ".squash"
    shutil.rmtree(hidden, ignore_errors=True)
    try:
        for plan in plans:
            ignored = shutil.ignore_patterns("plan.py", "__pycache__")
            shutil.copytree(plan.directory, hidden / name / plan.name, ignore=ignored)
        (hidden / name / "plan.py").write_text(text, encoding="utf-8")
        for plan, copy in zip(plans, load(hidden / name), strict=True):
            if (plan.key, plan.digest(len(plan.operations))) != (copy.key, copy.digest(len(copy.operations))):
                raise PlanError(f'plan "{plan.name}" would not come out of the squash as it was; leave it out')
        # First the new one, then away with the old: a crash between leaves both, and the loader says so.
        (hidden / name).rename(directory / name)
    finally:
        shutil.rmtree(hidden)
    for plan in plans:
        shutil.rmtree(plan.directory)
    return directory / name


def _check_over(plan: Plan, recorder: PlanRecorder) -> None:
    if plan.squash:
        raise PlanError(f'plan "{plan.name}" is in squash "{plan.squash}" already; leave it out')
    if reason := disagreement(plan, recorder):
        raise PlanError(reason)
    if not plan.operations[-1].final or recorder.applied() < len(plan.operations):
        raise PlanError(f'plan "{plan.name}" is not over; only what was applied with --final to its end is squashed')


def _end(plan: Plan, recorder: PlanRecorder) -> tuple[str, ...]:
    """How the record that is kept ends; nothing where records are kept apart from the plans."""
    return recorder.read().heads if recorder.path.is_relative_to(plan.directory) else ()
