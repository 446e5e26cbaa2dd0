"""RetireCode: the extraction is over when the code that it replaced is gone."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from strangler.plans.errors import PlanError
from strangler.plans.operations.base import Operation, freeze
from strangler.plans.state import PlanKey, ProjectState
from strangler.plans.world import World


@dataclass(frozen=True)
class RetireCode(Operation):
    """Check that code is gone: paths (with a slash, below the project's root) or dotted symbols. Deletes nothing."""

    final: ClassVar[bool] = True

    code: tuple[str, ...]

    def __post_init__(self) -> None:
        freeze(self, "code", self.code)

    def describe(self) -> str:
        return f"Retire code {', '.join(self.code)}"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        moved = [entry.model for entry in state.moved_by(plan.name)]
        if any(label not in state.retired_tables for label in moved):
            raise PlanError("put RetireTables before RetireCode; code goes after the tables that it serves")
        if again := [name for name in self.code if name in state.retired_code]:
            raise PlanError(f'code "{again[0]}" is retired already; name it once')
        return replace(state, retired_code=(*state.retired_code, *self.code))

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        for name in self.code:
            yield f"-- code: {name} must be gone" + (" (it is still there)" if _exists(name, world.root) else "")

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield from ()

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        if left := [name for name in self.code if _exists(name, world.root)]:
            raise PlanError(f'code "{left[0]}" is still there; delete it, then run the plan again')

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        """Nothing to undo: version control brings code back."""


def _exists(name: str, root: Path) -> bool:
    if "/" in name:
        return (root / name).exists()
    module, *attributes = name.split(".")
    found: object = None
    for depth in range(len(attributes) + 1):
        dotted = ".".join([module, *attributes[:depth]])
        try:
            found = importlib.import_module(dotted)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{dotted}.".startswith(f"{error.name}."):
                raise
            return depth > 0 and _has_attributes(found, attributes[depth - 1 :])
    return True


def _has_attributes(found: object, attributes: list[str]) -> bool:
    for attribute in attributes:
        if not hasattr(found, attribute):
            return False
        found = getattr(found, attribute)
    return True
