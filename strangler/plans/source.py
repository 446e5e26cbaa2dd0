"""Plans written down as the plan.py of a squash."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import timedelta

from strangler.plans.errors import PlanError
from strangler.plans.operations import Operation
from strangler.plans.plan import Plan

_WIDTH = 120
_OPERATIONS = "strangler.plans.operations"


def source_of(plans: Sequence[Plan], end: Callable[[Plan], Sequence[str]]) -> str:
    """The text of a squash's plan.py; "end" tells the hashes with which a plan's record ends. Pure.

    Raises PlanError where an operation cannot be written down.
    """
    body = "".join(_squashed(plan, end(plan)) for plan in plans)
    return (
        f'"""Squashed, all of them over: {", ".join(plan.name for plan in plans)}."""\n\n'
        f"{''.join(_standard_imports(plans))}from strangler import plans\n{''.join(_imports(plans))}\n\n"
        f"class Plan(plans.Squash):\n    replaces = [\n{body}    ]\n"
    )


def _standard_imports(plans: Sequence[Plan]) -> Iterator[str]:
    operations = [operation for plan in plans for operation in plan.operations]
    # The loader refuses operations that are no dataclass.
    values = [getattr(one, field.name) for one in operations for field in fields(one)]  # type: ignore[arg-type]
    if any(isinstance(value, timedelta) for value in values):
        yield "from datetime import timedelta\n\n"


def _imports(plans: Sequence[Plan]) -> Iterator[str]:
    module_of: dict[str, str] = {}
    for plan in plans:
        for number, operation in enumerate(plan.operations, start=1):
            for kind in _kinds(operation):
                _import(kind, plan, number, module_of)
    for module in sorted(set(module_of.values())):
        names = sorted(name for name, its_module in module_of.items() if its_module == module)
        line = f"from {module} import {', '.join(names)}\n"
        lines = "".join(f"    {name},\n" for name in names)
        yield line if len(line) <= _WIDTH else f"from {module} import (\n{lines})\n"


def _kinds(operation: Operation) -> Iterator[type]:
    """The classes that the operation's text names: its own and those of its values."""
    yield type(operation)
    yield from (type(value) for _, value in _given(operation) if is_dataclass(value))


def _import(kind: type, plan: Plan, number: int, module_of: dict[str, str]) -> None:
    # The classes live in modules of their own, plans import them from the package.
    exported = getattr(sys.modules.get(_OPERATIONS), kind.__name__, None) is kind
    module = _OPERATIONS if exported else kind.__module__
    if getattr(sys.modules.get(module), kind.__name__, None) is not kind:
        raise PlanError(f"{_place(plan, number)} is of a class that its plan file defines; leave that plan out")
    if module_of.setdefault(kind.__name__, module) != module:
        raise PlanError(f"{_place(plan, number)} shares its class's name with another one; leave that plan out")


def _squashed(plan: Plan, end: Sequence[str]) -> str:
    operations = "".join(
        _operation(operation, _place(plan, number)) for number, operation in enumerate(plan.operations, start=1)
    )
    dependencies = f"            dependencies={_literal(list(plan.dependencies), '')},\n" if plan.dependencies else ""
    return (
        f"        plans.Squashed(\n            {_literal(plan.name, '')},\n"
        f"            service={_literal(plan.key.service, '')},\n{dependencies}"
        f"            record={_literal(list(end), '')},\n            operations=[\n"
        f"{operations}            ],\n        ),\n"
    )


def _operation(operation: Operation, place: str) -> str:
    arguments = [keyword + _literal(value, place) for keyword, value in _given(operation)]
    indent = " " * 16
    line = f"{indent}{type(operation).__name__}({', '.join(arguments)}),\n"
    if len(line) <= _WIDTH:
        return line
    wrapped = "".join(f"{indent}    {argument},\n" for argument in arguments)
    return f"{indent}{type(operation).__name__}(\n{wrapped}{indent}),\n"


def _given(value: object) -> Iterator[tuple[str, object]]:
    """The arguments of a dataclass that are not its defaults: (keyword and "=", nothing for the first one; value)."""
    # The loader refuses operations that are no dataclass.
    for number, field in enumerate(fields(value)):  # type: ignore[arg-type]
        given = getattr(value, field.name)
        default = field.default if field.default_factory is MISSING else field.default_factory()
        if field.init and given != default:
            yield f"{field.name}=" if field.kw_only or number else "", given


def _literal(value: object, place: str) -> str:
    match value:
        case None | bool() | int() | float():
            return repr(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list() | tuple():
            return f"[{', '.join(_literal(item, place) for item in value)}]"
        case timedelta():
            parts = (("days", value.days), ("seconds", value.seconds), ("microseconds", value.microseconds))
            return f"timedelta({', '.join(f'{name}={number}' for name, number in parts if number)})"
        case dict():
            return "{" + ", ".join(f"{_literal(k, place)}: {_literal(v, place)}" for k, v in value.items()) + "}"
    if is_dataclass(value) and not isinstance(value, type):
        given = ", ".join(keyword + _literal(item, place) for keyword, item in _given(value))
        return f"{type(value).__name__}({given})"
    raise PlanError(f"{place} holds {value!r}, which cannot be written down as a plain value; leave that plan out")


def _place(plan: Plan, number: int) -> str:
    return f'operation {number} of plan "{plan.name}"'
