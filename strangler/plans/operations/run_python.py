"""RunPython: code of the plan's own, in one transaction with the record that it ran."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Any

from strangler.plans.databases import MONOLITH
from strangler.plans.operations.base import Operation
from strangler.plans.operations.running import check_database, check_reverse, with_run
from strangler.plans.runs import Work, apply_once, undo_once
from strangler.plans.state import PlanKey, ProjectState
from strangler.plans.world import World

Code = Callable[[Any], object]
"""A function of a connection: psycopg's, PyMySQL's or mysqlclient's, or sqlite3's."""


@dataclass(frozen=True)
class RunPython(Operation):
    """Call a function with a connection to the monolith's or the service's database, exactly once.

    What it does over that connection commits together with a row of `strangler.runs`, as in RunSQL. In the monolith's
    database the connection is Django's own, so that models take part in the same transaction. What it does elsewhere
    (files, other databases, calls) may happen again after a crash; such code looks first what is there already.

    `backwards` takes it back; `RunPython.nothing` says that nothing is to be taken back. Where that cannot be, say
    why in `irreversible`: then it ends the way back, and stands with the plan's final operations.
    """

    code: Code
    reverse_code: Code | None = None
    _: KW_ONLY
    irreversible: str | None = None
    database: str = MONOLITH

    def __post_init__(self) -> None:
        for code in (self.code, self.reverse_code):
            if code is not None and not inspect.isfunction(code):
                raise ValueError(f'RunPython: {code!r} is not a function; write one with "def"')
            _fingerprint(code)
        check_reverse(self, self.reverse_code, self.irreversible)
        check_database(self, self.database)

    @staticmethod
    def nothing(connection: Any) -> None:
        """The reverse of what leaves nothing to take back."""

    @property
    def reversible(self) -> bool:
        return self.irreversible is None

    @property
    def final(self) -> bool:
        return not self.reversible

    def describe(self) -> str:
        why = f" (irreversible: {self.irreversible})" if self.irreversible else ""
        return f"Run {self.code.__name__}() in the {self.database}'s database{why}"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        return with_run(state, plan, self.database)

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield from _call(self.code, self.database)

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        if self.reverse_code is not None:
            yield from _call(self.reverse_code, self.database)

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        world.emit("progress", ran=apply_once(world.databases, after.runs[-1], _work(self.code)))

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        reverse = self.reverse_code or self.nothing
        world.emit("progress", ran=undo_once(world.databases, after.runs[-1], _work(reverse)))

    def __repr__(self) -> str:
        """The functions by name and text: a plan's fingerprint must outlive the process and notice an edit."""
        return (
            f"RunPython({_fingerprint(self.code)}, {_fingerprint(self.reverse_code)}, "
            f"irreversible={self.irreversible!r}, database={self.database!r})"
        )


def _work(code: Code) -> Work:
    return lambda transaction: code(transaction.connection)


def _call(code: Code, database: str) -> Iterator[str]:
    said = (inspect.getdoc(code) or "").partition("\n")[0]
    yield f"-- {database}: call {code.__name__}() in one transaction with its record" + (f": {said}" if said else "")


def _fingerprint(code: Code | None) -> str:
    if code is None or code is RunPython.nothing:
        return "nothing"
    try:
        source = inspect.getsource(code)
    except OSError:
        raise ValueError(f'RunPython: "{code.__name__}" has no text that can be read; write it in a file') from None
    return f"{code.__name__}@{hashlib.sha256(source.encode()).hexdigest()[:16]}"
