"""The two databases of a move, and the few things that engines do differently.

What the toolkit keeps is kept in ordinary tables, and read and written with plain SQL that all engines share:
tables are called "strangler.x", parameters "%s", rows are locked with FOR UPDATE and FOR SHARE.
"""

from __future__ import annotations

import abc
import enum
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

from strangler.split.deletions import Followed
from strangler.split.errors import DatabaseUnreachable
from strangler.split.locks import Locks
from strangler.split.log import Log, TableLog
from strangler.split.numbers import Numbers
from strangler.split.rules import Rule
from strangler.split.shapes import Shapes
from strangler.split.spec import Capture, MoveSpec, Side
from strangler.split.table import Key, KeyRange, Selection, Table, Value


class Role(enum.Enum):
    """What a connection is for."""

    ADMINISTRATOR = "administrator"
    SWITCH = "switch"  # an administrator who does not wait long for a lock
    PLAIN = "plain"  # an administrator to whom the database is as it is to an application
    APPLIER = "applier"  # passes the fences; its changes are not captured back


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


class Store(abc.ABC):
    """One connection to one database of a move. Every failed statement raises StatementFailed or a subclass."""

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
    def close(self) -> None: ...

    # What there is

    @abc.abstractmethod
    def identity(self) -> str:
        """The same for two connections only if they lead to the same database."""

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

    @abc.abstractmethod
    def describe(self, name: str, columns: tuple[str, ...] | None = None) -> Table:
        """The table as this database has it, with all its columns or the named ones. Read-only.

        Raises SplitError if it is missing, has no primary key, or lacks a named column.
        """

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
    def numbers(self, table: Table) -> dict[str, Numbers]:
        """The numbers that the database gives to columns of a table that only() has made. Read-only."""

    numbers_apart: ClassVar[str]
    """What to do so that two databases never give out the same."""

    @abc.abstractmethod
    def is_empty(self, table: Table) -> bool:
        """Whether the table has no row, of those that are meant. Read-only."""

    @abc.abstractmethod
    def rules(self, tables: Sequence[Table]) -> Iterator[Rule]:
        """What is enforced and done for those who write the tables; comparable between stores of one engine. Read-only.

        What of it an engine's catalog does not tell stands in its rules.py.
        """

    @abc.abstractmethod
    def estimate(self, table: Table) -> int:
        """About how many rows the table has. Read-only."""

    def analyze(self, tables: Iterable[Table]) -> None:
        """Let the planner look at tables that have just been filled."""
        self.run(f"ANALYZE {table.relation}" for table in tables)

    @abc.abstractmethod
    def replica_lag(self) -> float:
        """Seconds that the slowest replica of this database is behind, 0 without one. Read-only."""

    @abc.abstractmethod
    def running(self) -> int:
        """How many statements others than the toolkit run in this database now. Read-only."""

    # What makes a copy fast; nothing where an engine has no need of it

    def relax(self) -> None:  # noqa: B027 - as said above
        """Let this connection's commits return before they are durable; if one is lost, all later ones are too."""

    def set_aside(self, move: str, tables: Sequence[Table]) -> Iterator[str]:
        """The statements that drop what is faster made once the tables are filled, and note how it is made again."""
        return iter(())

    def aside(self, move: str) -> list[str]:
        """What is set aside now, by name. Read-only."""
        return []

    def put_back(self, move: str) -> None:  # noqa: B027 - as said above
        """Make again, in the current transaction, the first thing that is set aside.

        Raises UniqueClash where the rows do not allow it.
        """

    # Fences and captures

    @abc.abstractmethod
    def set_up(self, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], side: Side) -> Iterator[str]:
        """The statements that create fences and captures, in order; the toolkit's own tables are there already."""

    @abc.abstractmethod
    def take_down(
        self, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], side: Side
    ) -> Iterator[str]:
        """The statements that remove them; safe to run again."""

    @abc.abstractmethod
    def run(self, statements: Iterable[str]) -> None:
        """Run statements of this engine."""

    @abc.abstractmethod
    def create_tables(self) -> None:
        """Create the toolkit's own tables where they are missing."""

    @abc.abstractmethod
    def has_tables(self, one: str = "ownership") -> bool:
        """Whether the toolkit's own tables are there, going by one of them. Read-only."""

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

    def log_unfit(self, captured: Sequence[Table]) -> Iterator[str]:
        """Why changes of the tables cannot be read from the server's own log, in sentences. Read-only."""
        yield f'the log of {self.engine} cannot be read; capture by "{Capture.TRIGGERS}"'

    @abc.abstractmethod
    def old_writers(self, tables: Sequence[Table], seconds: float) -> str | None:
        """A transaction older than that which has written the tables, or may have: who it is. Read-only."""

    @abc.abstractmethod
    def last_numbers(self, table: Table) -> dict[str, int]:
        """The last number that each sequence of the table's columns has given out, by column. Read-only."""

    @abc.abstractmethod
    def acknowledge(self, move: str, batch: int, seqs: Sequence[int]) -> None:
        """Forget the log's rows with these numbers, and note the batch, in one transaction."""

    @abc.abstractmethod
    def note_unverified(self, move: str, name: str, keys: Sequence[str], batch: int) -> None:
        """Note keys of a table as applied in that batch, and not compared since."""

    # What operations of plans keep

    @abc.abstractmethod
    def create_plan_tables(self, user: str) -> None:
        """Create the tables that operations of plans keep, where they are missing, and let "user" use them.

        An empty user is nobody.
        """

    def note_tombstones(self, move: str, names: Sequence[str]) -> None:
        """Note that the move is complete and its tables are fenced for good; the first time counts."""
        self.create_plan_tables("")
        for name in names:
            if not self.query("SELECT 1 FROM strangler.retirements WHERE move = %s AND name = %s", (move, name)):
                self.execute(
                    "INSERT INTO strangler.retirements (move, name, relation, tombstoned_at) VALUES (%s, %s, %s, %s)",
                    (move, name, self.describe(name).relation, self.now()),
                )

    @abc.abstractmethod
    def unseen_deletions(self, followed: Followed) -> Iterator[str]:
        """Why not every deletion in the table can be noted, in sentences; none where each can. Read-only."""

    @abc.abstractmethod
    def note_deletions(self, followed: Followed) -> Iterator[str]:
        """The statements by which deletions in the table are noted in strangler.cleanups; safe to run again."""

    @abc.abstractmethod
    def ignore_deletions(self, followed: Followed) -> Iterator[str]:
        """The statements that end that; safe to run again."""

    @abc.abstractmethod
    def two_shapes(self, wide: str, narrow: str, columns: tuple[str, ...]) -> Shapes:
        """The two tables of a split, by their names. Read-only.

        Raises SplitError where a table or a column is missing.
        """

    # The end of a table

    @abc.abstractmethod
    def exists(self, name: str) -> bool:
        """Whether there is such a table. Read-only."""

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

    # Rows

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

    def compare_with(self, other: Store) -> None:  # noqa: B027 - most engines give the same in all versions
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

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, kw_only=True)
class Database:
    """Where to connect, and what to call it in an error."""

    name: str  # "source" or "target"
    dsn: str

    def connect(self, role: Role = Role.ADMINISTRATOR, *, lock_timeout: float = 5.0) -> Store:
        """A connection that commits every statement unless in a transaction; the bound is in seconds.

        Raises DatabaseUnreachable with one sentence that never holds the password.
        """
        from strangler.split.postgres import PostgresStore  # noqa: PLC0415 - engines know this module
        from strangler.split.sqlite import SqliteStore  # noqa: PLC0415

        # Without a scheme it is "key=value ...", of which nothing may be told.
        found = re.match(r"([A-Za-z0-9+]+)://", self.dsn)
        scheme = found[1] if found else "postgresql"
        if scheme in ("postgresql", "postgres"):
            return PostgresStore.connect(self.name, self.dsn, role, lock_timeout)
        if scheme in ("mysql", "mariadb"):
            try:
                from strangler.split.mysql import MySQLStore  # noqa: PLC0415 - an extra
            except ModuleNotFoundError as error:
                raise DatabaseUnreachable(
                    f'the {self.name} database needs "{error.name}"; pip install "django-strangler[mysql]"'
                ) from error
            return MySQLStore.connect(self.name, self.dsn, role, lock_timeout)
        if scheme == "sqlite":
            return SqliteStore.connect(self.name, self.dsn, role, lock_timeout)
        raise DatabaseUnreachable(
            f'the DSN of the {self.name} database begins with "{scheme}"; write it as '
            "postgresql://user:password@host:port/database, mysql://... or sqlite:///absolute/path"
        )
