"""The rows of a table: out, in, and compared."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator
from typing import Any

from strangler.split.store.statements import Statements
from strangler.split.table import Key, KeyRange, Selection, Table, Value


class Rows(Statements):
    """Rows by ranges of their keys, or by the keys themselves."""

    @abc.abstractmethod
    def is_empty(self, table: Table) -> bool:
        """Whether the table has no row, of those that are meant. Read-only."""

    @abc.abstractmethod
    def estimate(self, table: Table) -> int:
        """About how many rows the table has. Read-only."""

    def analyze(self, tables: Iterable[Table]) -> None:
        """Let the planner look at tables that have just been filled."""
        self.run(f"ANALYZE {table.relation}" for table in tables)

    @abc.abstractmethod
    def range_end(self, table: Table, keys: KeyRange, size: int) -> Key | None:
        """Where the first "size" keys of the range end, about; None where it has no more than these. Read-only."""

    @abc.abstractmethod
    def dump(self, table: Table, selection: Selection) -> Iterator[Any]:
        """Rows for the load() of a store of the same engine, in pieces. Read-only."""

    @abc.abstractmethod
    def load(self, table: Table, pieces: Iterable[Any]) -> int:
        """Write what dump() gave; the number of rows."""

    @abc.abstractmethod
    def values(self, table: Table, selection: Selection) -> Iterator[tuple[Value, ...]]:
        """Rows by value, for a store of another engine: see table.Value. Read-only."""

    @abc.abstractmethod
    def insert(self, table: Table, rows: Iterable[tuple[Value, ...]]) -> int:
        """Write what values() gave; the number of rows."""

    @abc.abstractmethod
    def delete(self, table: Table, selection: Selection) -> None:
        """Delete rows."""

    def compare_with(self, other: Rows) -> None:
        """Give checksums and digests from now on that can be held against those of the other store."""

    @abc.abstractmethod
    def checksum(self, table: Table, selection: Selection) -> tuple[int, int]:
        """(rows, checksum); comparable between stores of one engine. Read-only."""

    @abc.abstractmethod
    def digests(self, table: Table, selection: Selection) -> Iterator[tuple[Key, int]]:
        """(key, 64-bit digest) of each row, as they come; comparable between stores of one engine. Read-only."""

    @abc.abstractmethod
    def texts(self, table: Table, keys: tuple[Key, ...]) -> dict[Key, tuple[str | None, ...]]:
        """The rows with these keys, every value as text. Read-only."""
