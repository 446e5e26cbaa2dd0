"""A connection to a SQLite database of a move."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from strangler.split.deletions import Followed
from strangler.split.errors import Busy, CasFailed, DatabaseUnreachable, translating
from strangler.split.locks import Locks
from strangler.split.numbers import Numbers
from strangler.split.rules import Rule
from strangler.split.shapes import Shapes
from strangler.split.spec import MoveSpec, Side
from strangler.split.sqlite import catalog, condition, guards, plans, rules, wording
from strangler.split.sqlite.archive import SqliteArchives
from strangler.split.sqlite.errors import translated
from strangler.split.sqlite.locks import FileLocks
from strangler.split.sqlite.rows import SqliteRows
from strangler.split.sqlite.shape_rows import SqliteShapes
from strangler.split.store import Claim, Compared, Role, SequenceFloor, Store
from strangler.split.table import Key, Table


@translating(translated)
class SqliteStore(SqliteRows, SqliteArchives, Store):
    """See Store. Locks are the whole database's: a transaction is alone from its beginning to its end."""

    engine = "sqlite"
    numbers_apart = (
        "SQLite numbers a row behind the highest one that is there, whoever wrote that; let the application give the "
        "keys (UUIDs, say), or move the whole table"
    )
    connection: sqlite3.Connection

    def __init__(self, name: str, path: Path, connection: sqlite3.Connection, *, applier: bool) -> None:
        self.name = name
        self.path = path
        self.connection = connection
        self._applier = applier
        self._marked = False

    @classmethod
    def connect(cls, name: str, dsn: str, role: Role, lock_timeout: float) -> SqliteStore:
        """See Database.connect."""
        path = Path("/" + unquote(urlsplit(dsn).path).lstrip("/"))
        if not path.is_file():
            raise DatabaseUnreachable(
                f'there is no file "{path}" for the {name} database; correct its DSN (sqlite:///absolute/path), or '
                "migrate it first"
            )
        try:
            # Only one thread at a time uses it, but not always the same one.
            connection = sqlite3.connect(
                f"file:{quote(str(path))}?mode=rw",
                uri=True,
                timeout=lock_timeout,
                isolation_level=None,
                check_same_thread=False,
            )
            # A commit is on the disk when it returns. Foreign keys among the moved tables are looked at before a
            # switch: rows come table by table.
            for setting in ("synchronous = FULL", f"foreign_keys = {int(role is Role.PLAIN)}"):
                connection.execute(f"PRAGMA {setting}")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            raise DatabaseUnreachable(
                f'cannot open the {name} database "{path}": {error}; check the file and its rights'
            ) from error
        return cls(name, path, connection, applier=role is Role.APPLIER)

    def query(self, statement: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(wording.translated(statement), params).fetchall()

    def execute(self, statement: str, params: Sequence[object] = ()) -> int:
        return self.connection.execute(wording.translated(statement), params).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with translated(), self._within("BEGIN IMMEDIATE"):
            yield
            self._mark(False)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with translated(), self._within("BEGIN"):
            # The first reading fixes the moment.
            self.connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
            self.connection.execute("PRAGMA query_only = ON")
            try:
                yield
            finally:
                self.connection.execute("PRAGMA query_only = OFF")

    @contextmanager
    def alone(self, move: str) -> Iterator[None]:
        with self.transaction():
            yield

    def locks(self, label: str) -> Locks:
        return FileLocks(self.path)

    def now(self) -> float:
        return time.time()

    def close(self) -> None:
        self.connection.close()

    def identity(self) -> str:
        found = self.path.stat()
        return f"{found.st_dev}:{found.st_ino}"

    def unfit(self, tables: Sequence[Table], followed: Sequence[Table]) -> Iterator[str]:
        yield from catalog.unfit(self.connection, tables)

    def describe(self, name: str, columns: tuple[str, ...] | None = None) -> Table:
        return catalog.describe(self.connection, name, columns)

    def only(self, table: Table, where: str) -> Table:
        return condition.only(self.connection, table, where)

    def shape(self, tables: Iterable[Table]) -> str:
        return catalog.shape(self.connection, tables)

    def crossing_keys(self, tables: Sequence[Table]) -> list[str]:
        return catalog.crossing_keys(self.connection, tables)

    def orphans(self, tables: Sequence[Table]) -> list[str]:
        return catalog.orphans(self.connection, tables)

    def straddling(self, tables: Sequence[Table], keys: Mapping[str, Sequence[Key]] | None = None) -> Iterator[str]:
        yield from condition.straddling(self.connection, tables, keys)

    def numbers(self, table: Table) -> dict[str, Numbers]:
        return catalog.numbers(self.connection, table)

    def rules(self, tables: Sequence[Table]) -> Iterator[Rule]:
        yield from rules.rules(self.connection, tables)

    def replica_lag(self) -> float:
        return 0.0

    def running(self) -> int:
        return 0  # a database in this process: it does not say who else has its file open

    def set_up(self, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], side: Side) -> Iterator[str]:
        yield from guards.create(self.connection, spec, claims, captured)

    def take_down(
        self, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], side: Side
    ) -> Iterator[str]:
        yield from guards.drop(spec, claims, captured)

    def run(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self.connection.execute(statement)

    def create_tables(self) -> None:
        schema = resources.files("strangler.split.sqlite").joinpath("schema.sql").read_text(encoding="utf-8")
        with self.transaction():
            self.run(statement for statement in schema.split(";\n") if statement.strip())

    def has_tables(self, one: str = "ownership") -> bool:
        return self.exists(f"strangler_{one}")

    def guard_faults(
        self, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], *, fenced: bool
    ) -> Iterator[str]:
        yield from guards.faults(self.connection, spec, claims, captured, fenced=fenced)

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
        # The fences need no switching: their triggers read this row.
        with self.transaction():
            if compared and any(
                name in compared.tables
                for (name,) in self.query(
                    "SELECT DISTINCT name FROM strangler.unverified WHERE move = %s AND batch > %s",
                    (move, compared.batch),
                )
            ):
                raise CasFailed(compared.refusal(move))
            changed = self.execute(
                "UPDATE strangler.ownership SET epoch = epoch + 1, owns = %s, term = %s, done = %s, changed_at = %s "
                "WHERE move = %s AND epoch = %s",
                (owns, term, done, self.now(), move, epoch),
            )
            if not changed:
                found = self.scalar("SELECT epoch FROM strangler.ownership WHERE move = %s", (move,))
                raise CasFailed(f'ownership of move "{move}" is at epoch {found}, not {epoch}')
            for floor in sequences:
                self._raise_sequence(floor)

    def old_writers(self, tables: Sequence[Table], seconds: float) -> str | None:
        # SQLite does not say who writes, or since when; but there is one writer only, and it can be waited for.
        waiting = self.scalar("PRAGMA busy_timeout")
        self.query(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
        try:
            with self.transaction():
                return None
        except Busy:
            return f'somebody who writes to "{self.path.name}"'
        finally:
            self.query(f"PRAGMA busy_timeout = {waiting}")

    def last_numbers(self, table: Table) -> dict[str, int]:
        return catalog.last_numbers(self.connection, table)

    def acknowledge(self, move: str, batch: int, seqs: Sequence[int]) -> None:
        with self.transaction():
            self.connection.executemany(
                "DELETE FROM strangler_changes WHERE move = ? AND seq = ?", ((move, seq) for seq in seqs)
            )
            self.connection.execute(
                "UPDATE strangler_streams SET acknowledged = max(acknowledged, ?) WHERE move = ?", (batch, move)
            )

    def note_unverified(self, move: str, name: str, keys: Sequence[str], batch: int) -> None:
        self.connection.executemany(
            "INSERT INTO strangler_unverified (move, name, key, batch) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (move, name, key) DO UPDATE SET batch = excluded.batch",
            ((move, name, key, batch) for key in keys),
        )

    def create_plan_tables(self, user: str) -> None:
        script = resources.files("strangler.split.sqlite").joinpath("plans.sql").read_text(encoding="utf-8")
        with self.transaction():
            self.run(statement for statement in script.split(";\n") if statement.strip())

    def unseen_deletions(self, followed: Followed) -> Iterator[str]:
        yield from ()

    def note_deletions(self, followed: Followed) -> Iterator[str]:
        yield plans.trigger(followed)

    def ignore_deletions(self, followed: Followed) -> Iterator[str]:
        yield plans.no_trigger(followed)

    def two_shapes(self, wide: str, narrow: str, columns: tuple[str, ...]) -> Shapes:
        return SqliteShapes(self, wide, narrow, columns)

    def exists(self, name: str) -> bool:
        return bool(self.query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = %s", (name,)))

    @contextmanager
    def _within(self, begin: str) -> Iterator[None]:
        self.connection.execute(begin)
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            # The mark goes with the transaction. A full disk may have rolled back already.
            self._marked = False
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def _raise_sequence(self, floor: SequenceFloor) -> None:
        """Never downwards. Without AUTOINCREMENT there is nothing to raise: the highest row decides."""
        name = wording.unquoted(floor.relation)
        if not catalog.autoincrement(self.connection, name):
            return
        if not self.query("SELECT 1 FROM sqlite_sequence WHERE name = %s", (name,)):
            self.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, 0)", (name,))
        self.execute("UPDATE sqlite_sequence SET seq = max(seq, %s) WHERE name = %s", (floor.at_least, name))
