"""Fences and captures of a move, who owns it, and the log of its changes."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from strangler.split.log import Log, TableLog
from strangler.split.spec import MoveSpec, Side
from strangler.split.store.statements import Statements
from strangler.split.table import Table


@dataclass(frozen=True, kw_only=True)
class SequenceFloor:
    """A sequence that must not give out a number at or below "at_least"."""

    relation: str
    attribute: str
    at_least: int


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What a switch has compared before it commits: the tables, and the last batch that it has seen applied."""

    tables: tuple[str, ...]
    batch: int

    def refusal(self, move: str) -> str:
        """What to say where rows have come behind that batch."""
        return f'rows of move "{move}" were applied behind batch {self.batch}, up to which they were compared'


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A table that a move takes in one database: "moved", or "replicated" at the target."""

    table: Table
    moved: bool
    bounded: bool = False  # no row may come to be meant by the move, or cease to be, but by the applier


class Fences(Statements):
    """What a move puts into a database, and takes out again."""

    @abc.abstractmethod
    def create_tables(self) -> None:
        """Create the toolkit's own tables where they are missing."""

    @abc.abstractmethod
    def has_tables(self, one: str = "ownership") -> bool:
        """Whether the toolkit's own tables are there, going by one of them. Read-only."""

    @abc.abstractmethod
    def set_up(self, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], side: Side) -> Iterator[str]:
        """The statements that create fences and captures, in order; the toolkit's own tables are there already."""

    @abc.abstractmethod
    def take_down(
        self, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], side: Side
    ) -> Iterator[str]:
        """The statements that remove them; safe to run again."""

    @abc.abstractmethod
    def guard_faults(
        self, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], *, fenced: bool
    ) -> Iterator[str]:
        """What is wrong with the fences and captures, in sentences. Read-only."""

    @abc.abstractmethod
    def set_owner(
        self,
        move: str,
        epoch: int,
        *,
        owns: bool,
        term: int,
        done: bool,
        sequences: Sequence[SequenceFloor] = (),
        compared: Compared | None = None,
    ) -> None:
        """Compare-and-set the ownership row, and with it the fences and the sequences; durable when it returns.

        Raises CasFailed where the epoch is not "epoch", or rows of the compared tables have been applied behind their
        batch; Busy where a lock was not had: nothing has changed then.
        """

    def log(self, move: str) -> Log:
        """The log of the move's changes here, by the capture that the move was created with."""
        return TableLog(self, move)

    @abc.abstractmethod
    def acknowledge(self, move: str, batch: int, seqs: Sequence[int]) -> None:
        """Forget the log's rows with these numbers, and note the batch, in one transaction."""

    @abc.abstractmethod
    def note_unverified(self, move: str, name: str, keys: Sequence[str], batch: int) -> None:
        """Note keys of a table as applied in that batch, and not compared since."""

    def set_aside(self, move: str, tables: Sequence[Table]) -> Iterator[str]:
        """The statements that drop what is faster made once the tables are filled, and note how it is made again."""
        return iter(())

    def aside(self, move: str) -> list[str]:
        """What is set aside now, by name. Read-only."""
        return []

    def put_back(self, move: str) -> None:
        """Make again, in the current transaction, the first thing that is set aside.

        Raises UniqueClash where the rows do not allow it.
        """
