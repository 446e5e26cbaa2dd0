"""What there is in a database."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from strangler.split.numbers import Numbers
from strangler.split.rules import Rule
from strangler.split.spec import Capture
from strangler.split.store.statements import Statements
from strangler.split.table import Key, Table


class Catalog(Statements):
    """All of it is read-only."""

    @abc.abstractmethod
    def unfit(self, tables: Sequence[Table], followed: Sequence[Table]) -> Iterator[str]:
        """Why this database, or a claimed table of it, cannot take part, in sentences; none where it can. Read-only.

        "followed" are those tables whose changes are captured here.
        """

    def lacking(self, tables: Sequence[Table], *, filled: bool) -> Iterator[str]:
        """What this connection's user must be allowed for the tables and is not, in sentences. Read-only.

        "filled" are tables that rows are copied to.
        """
        return iter(())

    def log_unfit(self, captured: Sequence[Table]) -> Iterator[str]:
        """Why changes of the tables cannot be read from the server's own log, in sentences. Read-only."""
        yield f'the log of {self.engine} cannot be read; capture by "{Capture.TRIGGERS}"'

    @abc.abstractmethod
    def describe(self, name: str, columns: tuple[str, ...] | None = None) -> Table:
        """The table as this database has it, with all its columns or the named ones. Read-only.

        Raises SplitError if it is missing, has no primary key, or lacks a named column.
        """

    @abc.abstractmethod
    def exists(self, name: str) -> bool:
        """Whether there is such a table. Read-only."""

    @abc.abstractmethod
    def only(self, table: Table, where: str) -> Table:
        """The table with only the rows that meet a condition, given in SQL over their own columns. Read-only.

        Raises Refused where it is no such condition, or may hold at one time and not at another for the same row.
        """

    @abc.abstractmethod
    def shape(self, tables: Iterable[Table]) -> str:
        """A fingerprint of the tables' columns, and of what says that a table is not the same one any more.

        At this moment; within a snapshot, at its moment. Read-only.
        """

    @abc.abstractmethod
    def crossing_keys(self, tables: Sequence[Table]) -> list[str]:
        """Foreign keys between one of the tables and one that is not among them, as sentences. Read-only."""

    @abc.abstractmethod
    def orphans(self, tables: Sequence[Table]) -> list[str]:
        """Foreign keys among the tables that rows violate, as sentences. Read-only."""

    @abc.abstractmethod
    def straddling(self, tables: Sequence[Table], keys: Mapping[str, Sequence[Key]] | None = None) -> Iterator[str]:
        """Foreign keys among the tables that tie rows that are meant to rows that are not, as sentences. Read-only.

        With "keys" only where one of the two rows has one of these, by the table's name.
        """

    @abc.abstractmethod
    def rules(self, tables: Sequence[Table]) -> Iterator[Rule]:
        """What is enforced and done for those who write the tables; comparable between stores of one engine. Read-only.

        What of it an engine's catalog does not tell stands in its rules.py.
        """

    @abc.abstractmethod
    def numbers(self, table: Table) -> dict[str, Numbers]:
        """The numbers that the database gives to columns of a table that only() has made. Read-only."""

    numbers_apart: ClassVar[str]
    """What to do so that two databases never give out the same."""

    @abc.abstractmethod
    def last_numbers(self, table: Table) -> dict[str, int]:
        """The last number that each sequence of the table's columns has given out, by column. Read-only."""

    @abc.abstractmethod
    def old_writers(self, tables: Sequence[Table], seconds: float) -> str | None:
        """A transaction older than that which has written the tables, or may have: who it is. Read-only."""

    @abc.abstractmethod
    def replica_lag(self) -> float:
        """Seconds that the slowest replica of this database is behind, 0 without one. Read-only."""

    @abc.abstractmethod
    def running(self) -> int:
        """How many statements others than the toolkit run in this database now. Read-only."""
