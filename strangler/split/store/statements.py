"""A connection to one of the two databases, and statements of the common SQL.

What the toolkit keeps is kept in ordinary tables, and read and written with plain SQL that all engines share:
tables are called "strangler.x", parameters "%s", rows are locked with FOR UPDATE and FOR SHARE.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Self

from strangler.split.locks import Locks


class Statements(abc.ABC):
    """What all parts of a store stand on. Every failed statement raises StatementFailed or a subclass."""

    connection: Any
    """The driver's own."""
    engine: ClassVar[str]
    """Rows pass as they are between two stores of one engine, and by value otherwise."""
    name: str
    """What to call the database in an error: "source" or "target"."""

    @abc.abstractmethod
    def query(self, statement: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run one statement of the common SQL and return its rows."""

    @abc.abstractmethod
    def execute(self, statement: str, params: Sequence[object] = ()) -> int:
        """Run one statement of the common SQL and return how many rows it changed."""

    def scalar(self, statement: str, params: Sequence[object] = ()) -> Any:
        """The first column of the first row, or None where there is no row."""
        rows = self.query(statement, params)
        return rows[0][0] if rows else None

    @abc.abstractmethod
    def run(self, statements: Iterable[str]) -> None:
        """Run statements of this engine."""

    @abc.abstractmethod
    def transaction(self) -> AbstractContextManager[object]:
        """All or nothing, durable at its end."""

    @abc.abstractmethod
    def snapshot(self) -> AbstractContextManager[object]:
        """Everything that is read within is of one moment; nothing can be written."""

    @abc.abstractmethod
    def alone(self, move: str) -> AbstractContextManager[object]:
        """A transaction that only one at a time can have for a move in this database."""

    @abc.abstractmethod
    def locks(self, label: str) -> Locks:
        """Locks for a long time on this connection, which is then used for nothing else; "label" is shown to others."""

    @abc.abstractmethod
    def now(self) -> float:
        """This database's clock, in seconds since 1970."""

    @abc.abstractmethod
    def identity(self) -> str:
        """The same for two connections only if they lead to the same database."""

    def relax(self) -> None:  # noqa: B027 - as said above
        """Let this connection's commits return before they are durable; if one is lost, all later ones are too."""

    @abc.abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
