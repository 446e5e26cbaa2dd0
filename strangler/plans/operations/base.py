"""What every operation promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from strangler.plans.state import PlanKey, ProjectState
    from strangler.plans.world import World


class Operation(ABC):
    """One reversible step of an extraction: a frozen value that knows how the state changes and how to get there.

    `state_forwards` decides purely; `forwards` and `backwards` act, and may be run again after a crash at any
    point: they look at what is there and do what is missing.
    """

    @property
    def reversible(self) -> bool:
        """Whether `backwards` exists; checked before anything is undone."""
        return True

    @property
    def final(self) -> bool:
        """Whether it ends the way back of earlier operations, and so runs only when asked for with --final."""
        return False

    @abstractmethod
    def describe(self) -> str:
        """What it does, in a few words, as showplans prints it."""

    @abstractmethod
    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        """The state after this operation. Raises PlanError where it does not fit."""

    @abstractmethod
    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        """Every effect that `forwards` would have, a line each, SQL included. This is a read-only operation."""

    @abstractmethod
    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        """The same of `backwards`; nothing where that does not exist. This is a read-only operation."""

    @abstractmethod
    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        """Bring the world from `before` to `after`."""

    @abstractmethod
    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        """Bring the world from `after` back to `before`."""


def freeze(operation: Operation, name: str, values: Iterable[object]) -> None:
    """Turn a list argument of a frozen operation into a tuple, so that plans may be written with lists."""
    if isinstance(values, str):
        raise ValueError(f"{type(operation).__name__}: {name} is a list, not the text {values!r}")
    object.__setattr__(operation, name, tuple(values))
