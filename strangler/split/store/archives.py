"""The end of a table: its files, and its place."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager

from strangler.split.store.statements import Statements
from strangler.split.table import Table


class Archives(Statements):
    """See strangler.split.archive."""

    @abc.abstractmethod
    def script(self, table: Table, data: str) -> tuple[list[str], list[str]]:
        """The lines that make the table, with a comment that says how the file "data" fills it; and those for then.

        Read-only.
        """

    @abc.abstractmethod
    def csv(self, table: Table) -> Iterator[bytes]:
        """The rows that are meant, in the order of their key, as the engine's archive.py says. Read-only."""

    @abc.abstractmethod
    def given_back(self, table: Table, making: str, filled: str, data: Iterable[bytes]) -> tuple[int, str]:
        """Make the table from what script() and csv() gave, where nobody sees it, and take it away again.

        Its number of rows, and the SHA-256 of its csv().
        """

    @abc.abstractmethod
    def dropping(self, move: str, tables: Sequence[Table]) -> AbstractContextManager[object]:
        """Within, nobody writes the tables or changes the move's owner; at the end they go, all that is ours included.

        Raises Refused, with nothing changed, where others need them.
        """
