"""A squash: one folder that replaces the folders of several completed plans.

Its plans keep their names, since databases, records and other plans know them by these, and each keeps its record. So a
project that applied them before they were squashed has applied them, and a new one may apply them still.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, MISSING, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from strangler.plans.agreement import disagreement
from strangler.plans.errors import PlanError
from strangler.plans.operations import Operation
from strangler.plans.plan import Plan
from strangler.plans.recorder import PlanRecorder

_WIDTH = 120
_OPERATIONS = "strangler.plans.operations"


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
    def plans(cls, folder: Path) -> tuple[Plan, ...]:
        """The plans that it replaces, in their order."""
        return tuple(
            type("Plan", (Plan,), {**_attributes(one), "squash": folder.name})(one.name, folder) for one in cls.replaces
        )


def write_squash(
    plans: Sequence[Plan], recorder: Callable[[Plan], PlanRecorder], load: Callable[[Path], tuple[Plan, ...]]
) -> Path:
    """Replace the plans' folders by one beside them; what else lies in them, the records above all, is kept.

    "load" reads the plans of a folder. Raises PlanError, before anything is changed, where a plan is not over, or does
    not come out as it was.
    """
    for plan in plans:
        _check_over(plan, recorder(plan))
    if len(plans) < 2:
        raise PlanError("one plan is not squashed; name at least two")
    directory = plans[0].directory.parent
    name = f"{plans[0].name[:4]}_squashed_{plans[-1].name}"
    hidden = directory / ".squash"
    shutil.rmtree(hidden, ignore_errors=True)
    for plan in plans:
        shutil.copytree(
            plan.directory, hidden / name / plan.name, ignore=shutil.ignore_patterns("plan.py", "__pycache__")
        )
    (hidden / name / "plan.py").write_text(_text(plans, recorder), encoding="utf-8")
    for plan, copy in zip(plans, load(hidden / name), strict=True):
        if (plan.key, plan.digest(len(plan.operations))) != (copy.key, copy.digest(len(copy.operations))):
            raise PlanError(f'plan "{plan.name}" would not come out of the squash as it was; leave it out')
    # First the new one, then away with the old: a crash between leaves both, and the loader says so.
    (hidden / name).rename(directory / name)
    hidden.rmdir()
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


def _attributes(squashed: Squashed) -> dict[str, Any]:
    return {field.name: getattr(squashed, field.name) for field in fields(squashed) if field.name != "name"}


def _text(plans: Sequence[Plan], recorder: Callable[[Plan], PlanRecorder]) -> str:
    imports = "".join(f"from {module} import {name}\n" for module, name in sorted(_imports(plans)))
    body = "".join(_squashed(plan, _heads(plan, recorder(plan))) for plan in plans)
    return (
        f'"""Squashed, all of them over: {", ".join(plan.name for plan in plans)}."""\n\n'
        f"from strangler import plans\n{imports}\n\n"
        f"class Plan(plans.Squash):\n    replaces = [\n{body}    ]\n"
    )


def _imports(plans: Sequence[Plan]) -> Iterator[tuple[str, str]]:
    found: dict[str, str] = {}
    for plan in plans:
        for number, operation in enumerate(plan.operations, start=1):
            kind = type(operation)
            # The classes live in modules of their own, plans import them from the package.
            module = _OPERATIONS if kind.__module__.startswith(f"{_OPERATIONS}.") else kind.__module__
            if getattr(sys.modules.get(module), kind.__name__, None) is not kind:
                raise PlanError(f"{_place(plan, number)} is of a class that its plan file defines; leave that plan out")
            if found.setdefault(kind.__name__, module) != module:
                raise PlanError(f"{_place(plan, number)} shares its class's name with another one; leave that plan out")
    yield from ((module, name) for name, module in found.items())


def _squashed(plan: Plan, heads: tuple[str, ...]) -> str:
    operations = "".join(
        _operation(operation, _place(plan, number)) for number, operation in enumerate(plan.operations, start=1)
    )
    dependencies = f"            dependencies={_literal(list(plan.dependencies), '')},\n" if plan.dependencies else ""
    return (
        f"        plans.Squashed(\n            {_literal(plan.name, '')},\n"
        f"            service={_literal(plan.key.service, '')},\n{dependencies}"
        f"            record={_literal(heads, '')},\n            operations=[\n{operations}            ],\n        ),\n"
    )


def _heads(plan: Plan, recorder: PlanRecorder) -> tuple[str, ...]:
    """How the record that is kept ends; none where records are kept apart from the plans."""
    return recorder.read().heads if recorder.path.is_relative_to(plan.directory) else ()


def _operation(operation: Operation, place: str) -> str:
    arguments: list[str] = []
    for field in fields(operation):  # type: ignore[arg-type]  # the loader refuses other operations
        value = getattr(operation, field.name)
        default = field.default if field.default_factory is MISSING else field.default_factory()
        if field.init and value != default:
            keyword = f"{field.name}=" if field.kw_only or arguments else ""
            arguments.append(keyword + _literal(value, place))
    indent = " " * 16
    line = f"{indent}{type(operation).__name__}({', '.join(arguments)}),\n"
    if len(line) <= _WIDTH:
        return line
    wrapped = "".join(f"{indent}    {argument},\n" for argument in arguments)
    return f"{indent}{type(operation).__name__}(\n{wrapped}{indent}),\n"


def _literal(value: object, place: str) -> str:
    match value:
        case None | bool() | int() | float():
            return repr(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list() | tuple():
            return f"[{', '.join(_literal(item, place) for item in value)}]"
        case dict():
            return "{" + ", ".join(f"{_literal(k, place)}: {_literal(v, place)}" for k, v in value.items()) + "}"
    raise PlanError(f"{place} holds {value!r}, which cannot be written down as a plain value; leave that plan out")


def _place(plan: Plan, number: int) -> str:
    return f'operation {number} of plan "{plan.name}"'
