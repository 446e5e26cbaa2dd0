"""Read the plan files of a directory; every error names the file and is one sentence."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

from strangler.plans.errors import PlanError
from strangler.plans.fingerprint import fingerprint
from strangler.plans.operations import Operation
from strangler.plans.plan import Plan
from strangler.plans.squash import Squash
from strangler.split.spec import LONGEST_NAME

_NAME = re.compile(r"(\d{4})_[a-z][a-z0-9_]*")
_SERVICE = re.compile(r"[a-z][a-z0-9_-]*")


def load_plans(directory: Path) -> tuple[Plan, ...]:
    """Load all plans of a directory, by name. This is a read-only operation, but for running the plan files.

    Raises PlanError.
    """
    if not directory.is_dir():
        raise PlanError(f'there is no directory of plans at "{directory}"; make it or set STRANGLER["PLANS"]')
    folders = sorted(path for path in directory.iterdir() if path.is_dir() and path.name[:1] not in "._")
    plans = tuple(plan for folder in folders for plan in load_plan(folder))
    by_number: dict[str, Plan] = {}
    for plan in plans:
        twin = by_number.setdefault(plan.name[:4], plan)
        if twin.name == plan.name and twin is not plan:
            raise PlanError(
                f'plan "{plan.name}" stands in "{twin.directory}" and in "{plan.directory}"; '
                "where one of them is a squash, remove the other"
            )
        if twin is not plan:
            raise PlanError(f'plans "{twin.name}" and "{plan.name}" in "{directory}" share a number; renumber one')
    return plans


def load_plan(folder: Path) -> tuple[Plan, ...]:
    """Load the plan of one folder, or the plans that a squash replaces. Raises PlanError."""
    if not _NAME.fullmatch(folder.name):
        raise PlanError(f'"{folder}" is not named like "0001_reviews"; rename it or move it out of the plans')
    path = folder / "plan.py"
    if not path.is_file():
        raise PlanError(f'plan "{folder.name}" has no file "{path}"; write it or remove the folder')
    found = getattr(_run(path), "Plan", None)
    if isinstance(found, type) and issubclass(found, Squash):
        plans = tuple(found.plans(folder))
    elif isinstance(found, type) and issubclass(found, Plan) and found is not Plan:
        plans = ((folder.name, found),)
    else:
        raise PlanError(f'"{path}" defines no "class Plan(plans.Plan)"; add it')
    for name, plan in plans:
        if not _NAME.fullmatch(name):
            raise PlanError(f'"{path}" replaces "{name}", which is not named like "0001_reviews"; correct it')
        if len(name) > LONGEST_NAME:
            raise PlanError(f'the name of plan "{name}" is longer than {LONGEST_NAME} characters; shorten it')
        _check(plan, path)
    if not plans:
        raise PlanError(f'"{path}" replaces nothing; name the plans that were squashed')
    return tuple(plan(name, folder) for name, plan in plans)


def _run(path: Path) -> ModuleType:
    name = f"_strangler_plan_{path.parent.name}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None  # of a file whose name ends like a module's
    module = importlib.util.module_from_spec(spec)
    # No bytecode: plan folders hold records and are reviewed in version control, nothing else belongs there.
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise PlanError(f'"{path}", line {error.lineno}: {error.msg}') from error
    except Exception as error:
        raise PlanError(f'"{path}" cannot be read: {_sentence(error)}') from error
    finally:
        sys.dont_write_bytecode = writes_bytecode
    return module


def _check(plan: type[Plan], path: Path) -> None:
    service = getattr(plan, "service", None)
    if not isinstance(service, str) or not _SERVICE.fullmatch(service):
        raise PlanError(f'"{path}" names no service; write such as service = "reviews"')
    if isinstance(plan.dependencies, str) or not all(isinstance(name, str) for name in plan.dependencies):
        raise PlanError(f'"{path}": dependencies is not a list of plan names')
    if not plan.operations:
        raise PlanError(f'"{path}" has no operations; a plan does something')
    final = False
    for number, operation in enumerate(plan.operations, start=1):
        if not isinstance(operation, Operation):
            raise PlanError(f'"{path}", operation {number}: {operation!r} is not an operation')
        if final and not operation.final:
            raise PlanError(f'"{path}", operation {number}: put "{operation.describe()}" before the final operations')
        final = operation.final
        try:
            fingerprint(service, [operation])
        except PlanError as error:
            raise PlanError(f'"{path}", operation {number}: {error}') from error


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}, {text}" if text else type(error).__name__
