"""A connection to a PostgreSQL database of a move."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import resources
from typing import Any

import psycopg
from psycopg import IsolationLevel
from psycopg.pq import TransactionStatus

from strangler.split.deletions import Followed
from strangler.split.errors import Busy, CasFailed, DatabaseUnreachable, SplitError, StatementFailed, UniqueClash
from strangler.split.locks import Locks
from strangler.split.log import Log
from strangler.split.numbers import Numbers
from strangler.split.postgres import (
    archive,
    aside,
    catalog,
    condition,
    fitness,
    guards,
    plans,
    publication,
    rows,
    rules,
)
from strangler.split.postgres.catalog import Connection
from strangler.split.postgres.locks import AdvisoryLocks
from strangler.split.postgres.log import WalLog
from strangler.split.postgres.pgoutput import APPLIED
from strangler.split.postgres.shape_rows import PostgresShapes
from strangler.split.rules import Rule
from strangler.split.shapes import Shapes
from strangler.split.spec import Capture, MoveSpec, Side
from strangler.split.store import Claim, Compared, Role, SequenceFloor, Store
from strangler.split.table import Key, KeyRange, Selection, Table, Value

# Rows are compared as text, so everything that changes how a value is written is fixed. A host that is gone is noticed
# in seconds, so that what its worker has locked is free again.
_SETTINGS = (
    "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 "
    "-c bytea_output=hex -c row_security=off -c synchronous_commit=on "
    "-c idle_in_transaction_session_timeout=60000 "
    "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)
_APPLICATION = "django-strangler"
_CAS_FAILED = "SF003"
_POOLED = (
    "the DSN of the {} database leads to a pooler, where sessions change hands; give the address of the server itself"
)


class PostgresStore(Store):
    """See Store."""

    engine = "postgresql"
    numbers_apart = (
        "give the sequence of each a range of its own (MAXVALUE in the one, MINVALUE and RESTART in the other)"
    )
    connection: Connection

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        self.connection = connection
        self._portable = False  # its digests are the same in other major versions
        self._marked = False  # its transactions are told from others' in the log

    @classmethod
    def connect(cls, name: str, dsn: str, role: Role, lock_timeout: float) -> PostgresStore:
        """See Database.connect."""
        _refuse_unreadable(name, dsn)
        try:
            connection = psycopg.connect(
                dsn,
                autocommit=True,
                options=f"{_SETTINGS} -c lock_timeout={int(lock_timeout * 1000)}",
                connect_timeout=5,
                application_name=_APPLICATION,
                keepalives_idle=5,
                tcp_user_timeout=10_000,
            )
        except psycopg.OperationalError as error:
            raise DatabaseUnreachable(_why(name, dsn, error)) from error
        # Snapshots are the only transactions with another level, and set it themselves.
        connection.isolation_level = IsolationLevel.READ_COMMITTED
        store = cls(name, connection)
        try:
            _refuse_pooler(name, connection)
            if role is Role.SWITCH:
                store._hurry_vacuum()
        except psycopg.OperationalError as error:
            connection.close()
            raise DatabaseUnreachable(_why(name, dsn, error)) from error
        if role is Role.APPLIER:
            store._become_applier()
        return store

    def query(self, statement: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with _translated():
            return self.connection.execute(statement.encode(), params).fetchall()

    def execute(self, statement: str, params: Sequence[object] = ()) -> int:
        with _translated():
            return self.connection.execute(statement.encode(), params).rowcount

    def stream(self, statement: str, params: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement as they come, their values in binary."""
        with _translated(), self.connection.cursor() as cursor:
            yield from cursor.stream(statement.encode(), params, binary=True, size=1_000)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        outermost = self.connection.info.transaction_status is TransactionStatus.IDLE
        with _translated(), self.connection.transaction():
            if outermost:
                self._mark()
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with _translated(), self.connection.transaction():
            self.connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield

    @contextmanager
    def alone(self, move: str) -> Iterator[None]:
        with self.transaction():
            # One move after the other too: PostgreSQL fails where two at once replace or grant the same thing.
            self.query("SELECT pg_advisory_xact_lock(hashtext('strangler'), 0)")
            self.query("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7270))", (move,))
            yield

    def locks(self, label: str) -> Locks:
        with _translated():
            return AdvisoryLocks(self.connection, label)

    def now(self) -> float:
        return float(self.scalar("SELECT extract(epoch FROM clock_timestamp())"))

    def close(self) -> None:
        self.connection.close()

    def identity(self) -> str:
        return str(self.scalar("SELECT system_identifier::text || current_database() FROM pg_control_system()"))

    def unfit(self, tables: Sequence[Table], followed: Sequence[Table]) -> Iterator[str]:
        with _translated():
            yield from fitness.unfit(self.connection, tables, followed)

    def lacking(self, tables: Sequence[Table], *, filled: bool) -> Iterator[str]:
        with _translated():
            yield from fitness.lacking(self.connection, tables, filled=filled)

    def describe(self, name: str, columns: tuple[str, ...] | None = None) -> Table:
        with _translated():
            return catalog.describe(self.connection, name, columns)

    def only(self, table: Table, where: str) -> Table:
        with _translated():
            return condition.only(self.connection, table, where)

    def shape(self, tables: Iterable[Table]) -> str:
        with _translated():
            return catalog.shape(self.connection, tables)

    def crossing_keys(self, tables: Sequence[Table]) -> list[str]:
        with _translated():
            return catalog.crossing_keys(self.connection, tables)

    def orphans(self, tables: Sequence[Table]) -> list[str]:
        with _translated():
            return catalog.orphans(self.connection, tables)

    def straddling(self, tables: Sequence[Table], keys: Mapping[str, Sequence[Key]] | None = None) -> Iterator[str]:
        with _translated():
            yield from condition.straddling(self.connection, tables, keys)

    def numbers(self, table: Table) -> dict[str, Numbers]:
        with _translated():
            return catalog.numbers(self.connection, table)

    def is_empty(self, table: Table) -> bool:
        with _translated():
            return rows.is_empty(self.connection, table)

    def rules(self, tables: Sequence[Table]) -> Iterator[Rule]:
        with _translated():
            yield from rules.rules(self.connection, tables)

    def estimate(self, table: Table) -> int:
        with _translated():
            return rows.estimate(self.connection, table)

    def replica_lag(self) -> float:
        return float(self.scalar("SELECT coalesce(extract(epoch FROM max(replay_lag)), 0) FROM pg_stat_replication"))

    def running(self) -> int:
        return int(
            self.scalar(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND backend_type = 'client backend' "
                "AND datname = current_database() AND application_name <> %s",
                (_APPLICATION,),
            )
        )

    def relax(self) -> None:
        # A crash takes the last commits as a whole: rows, and that they are copied.
        self.run(["SET synchronous_commit = off"])

    def set_aside(self, move: str, tables: Sequence[Table]) -> Iterator[str]:
        with _translated():
            for statement in aside.drop(self.connection, move, tables):
                yield statement.as_string(self.connection)

    def aside(self, move: str) -> list[str]:
        return [name for (name,) in self.query(aside.NAMES, (move,))]

    def put_back(self, move: str) -> None:
        with _translated():
            aside.put_back(self.connection, move)

    def set_up(self, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], side: Side) -> Iterator[str]:
        by_log = spec.capture == Capture.LOG
        statements = [*guards.create(spec, claims, () if by_log else captured, closed=side is Side.TARGET)]
        if by_log:
            statements += publication.create(self.connection, spec, captured)
        for statement in statements:
            yield statement.as_string(self.connection)

    def take_down(
        self, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], side: Side
    ) -> Iterator[str]:
        for statement in guards.drop(spec, claims, captured):
            yield statement.as_string(self.connection)

    def run(self, statements: Iterable[str]) -> None:
        with _translated():
            for statement in statements:
                self.connection.execute(statement.encode())

    def two_shapes(self, wide: str, narrow: str, columns: tuple[str, ...]) -> Shapes:
        with _translated():
            return PostgresShapes(self.connection, wide, narrow, columns)

    def create_tables(self) -> None:
        with self.transaction():
            self.query("SELECT pg_advisory_xact_lock(hashtext('strangler'), 0)")
            ours = resources.files("strangler.split.postgres")
            self.run(
                ours.joinpath(name).read_text(encoding="utf-8")
                for name in ("schema.sql", "rehearsal.sql", "partitions.sql", "log.sql")
            )

    def has_tables(self, one: str = "ownership") -> bool:
        return self.scalar("SELECT to_regclass(%s)", (f"strangler.{one}",)) is not None

    def guard_faults(
        self, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], *, fenced: bool
    ) -> Iterator[str]:
        with _translated():
            by_log = isinstance(self.log(spec.name), WalLog)
            yield from guards.faults(self.connection, spec, claims, () if by_log else captured, fenced=fenced)
            if by_log:
                yield from publication.faults(self.connection, spec, captured)

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
        self.query(
            "SELECT strangler.set_owner(%s, %s, %s, %s, %s, %s::jsonb, %s, %s)",
            (
                move,
                epoch,
                owns,
                term,
                done,
                json.dumps([vars(floor) for floor in sequences]),
                list(compared.tables) if compared else [],
                compared.batch if compared else 0,
            ),
        )

    def log(self, move: str) -> Log:
        slot = self.scalar("SELECT slot FROM strangler.slots WHERE move = %s", (move,))
        return super().log(move) if slot is None else WalLog(self, move, str(slot))

    def log_unfit(self, captured: Sequence[Table]) -> Iterator[str]:
        with _translated():
            yield from publication.unfit(self.connection, captured)

    def old_writers(self, tables: Sequence[Table], seconds: float) -> str | None:
        with _translated():
            return catalog.old_writers(self.connection, tables, seconds)

    def last_numbers(self, table: Table) -> dict[str, int]:
        with _translated():
            return catalog.last_numbers(self.connection, table)

    def acknowledge(self, move: str, batch: int, seqs: Sequence[int]) -> None:
        self.execute(
            """WITH forgotten AS (DELETE FROM strangler.changes WHERE move = %s AND seq = ANY(%s))
               UPDATE strangler.streams SET acknowledged = greatest(acknowledged, %s) WHERE move = %s""",
            (move, list(seqs), batch, move),
        )

    def note_unverified(self, move: str, name: str, keys: Sequence[str], batch: int) -> None:
        self.execute(
            """INSERT INTO strangler.unverified (move, name, key, batch) SELECT %s, %s, k, %s FROM unnest(%s::text[]) k
               ON CONFLICT (move, name, key) DO UPDATE SET batch = excluded.batch""",
            (move, name, batch, list(keys)),
        )

    def create_plan_tables(self, user: str) -> None:
        with self.transaction():
            self.query("SELECT pg_advisory_xact_lock(hashtext('strangler'), 0)")
            self.run([resources.files("strangler.split.postgres").joinpath("plans.sql").read_text(encoding="utf-8")])
            if user:
                self.run(grant.as_string(self.connection) for grant in plans.grants(user))

    def unseen_deletions(self, followed: Followed) -> Iterator[str]:
        yield from ()

    def note_deletions(self, followed: Followed) -> Iterator[str]:
        for statement in plans.triggers(followed):
            yield statement.as_string(self.connection)

    def ignore_deletions(self, followed: Followed) -> Iterator[str]:
        for statement in plans.no_triggers(followed):
            yield statement.as_string(self.connection)

    def exists(self, name: str) -> bool:
        return self.scalar("SELECT to_regclass(%s)", (name,)) is not None

    def script(self, table: Table, data: str) -> tuple[list[str], list[str]]:
        with _translated():
            return archive.script(self.connection, table, data)

    def csv(self, table: Table) -> Iterator[bytes]:
        with _translated():
            yield from archive.csv(self.connection, table)

    def given_back(self, table: Table, making: str, filled: str, data: Iterable[bytes]) -> tuple[int, str]:
        with _translated():
            return archive.given_back(self.connection, table, making, data)

    @contextmanager
    def dropping(self, move: str, tables: Sequence[Table]) -> Iterator[None]:
        with _translated(), archive.dropping(self.connection, move, tables):
            yield

    def range_end(self, table: Table, keys: KeyRange, size: int) -> Key | None:
        with _translated():
            return rows.range_end(self.connection, table, keys, size)

    def dump(self, table: Table, selection: Selection) -> Iterator[bytes]:
        with _translated():
            yield from rows.dump(self.connection, table, selection)

    def load(self, table: Table, pieces: Iterable[bytes]) -> int:
        with _translated():
            return rows.load(self.connection, table, pieces)

    def values(self, table: Table, selection: Selection) -> Iterator[tuple[Value, ...]]:
        with _translated():
            yield from rows.values(self.connection, table, selection)

    def insert(self, table: Table, given: Iterable[tuple[Value, ...]]) -> int:
        with _translated():
            return rows.insert(self.connection, table, given)

    def delete(self, table: Table, selection: Selection) -> None:
        with _translated():
            rows.delete(self.connection, table, selection)

    def compare_with(self, other: Store) -> None:
        # Hashes of rows are the same within a major version only.
        self._portable = isinstance(other, PostgresStore) and other.major != self.major

    @property
    def major(self) -> int:
        """The server's major version."""
        with _translated():  # a connection that has died tells nothing
            return self.connection.info.server_version // 10_000

    def checksum(self, table: Table, selection: Selection) -> tuple[int, int]:
        with _translated():
            return rows.checksum(self.connection, table, selection, portable=self._portable)

    def digests(self, table: Table, selection: Selection) -> Iterator[tuple[Key, int]]:
        with _translated():
            yield from rows.digests(self.connection, table, selection, portable=self._portable)

    def texts(self, table: Table, keys: tuple[Key, ...]) -> dict[Key, tuple[str | None, ...]]:
        with _translated():
            return rows.texts(self.connection, table, keys)

    def _mark(self) -> None:
        # The first thing in a transaction of the applier's, so that who reads the log knows before the rows come.
        if self._marked:
            self.query("SELECT pg_logical_emit_message(true, %s::text, '')", (APPLIED,))

    def _reads_log(self) -> bool:
        """Whether a move of this database is captured by its log."""
        if catalog.scalar(self.connection, "SELECT to_regclass('strangler.slots')") is None:
            return False
        return bool(catalog.scalar(self.connection, "SELECT count(*) FROM strangler.slots"))

    def _hurry_vacuum(self) -> None:
        # PostgreSQL ends an autovacuum that blocks somebody, but only after deadlock_timeout, by default longer than
        # a switch may wait. Without the right to set that, the switch is tried again until the vacuum is over.
        with suppress(psycopg.errors.InsufficientPrivilege):
            self.connection.execute("SET deadlock_timeout = '50ms'")

    def _become_applier(self) -> None:
        try:
            self._marked = self._reads_log()
            self.connection.execute("SET session_replication_role = replica")
            self.connection.execute("SET ROLE strangler_applier")
        except psycopg.Error as error:
            self.close()
            raise SplitError(
                f"the user of the {self.name} database may not become strangler_applier ({_first_line(error)}); "
                "give it superuser rights, or GRANT strangler_applier to it and "
                "GRANT SET ON PARAMETER session_replication_role"
            ) from error


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (
        psycopg.errors.LockNotAvailable,
        psycopg.errors.DeadlockDetected,
        psycopg.errors.ObjectInUse,
    ) as error:
        raise Busy(_first_line(error)) from error
    except psycopg.errors.UniqueViolation as error:
        raise UniqueClash(_first_line(error)) from error
    except psycopg.Error as error:
        if error.sqlstate == _CAS_FAILED:
            raise CasFailed(_first_line(error)) from error
        raise StatementFailed(_first_line(error)) from error


def _refuse_unreadable(name: str, dsn: str) -> None:
    """A password that is not escaped must not be taken for a part of the address, and be told with that."""
    try:
        where = psycopg.conninfo.conninfo_to_dict(dsn)
        read = "@" not in str(where.get("host", "")) and re.fullmatch("[0-9,]*", str(where.get("port", "")))
    except psycopg.ProgrammingError:
        read = None
    if not read:
        raise DatabaseUnreachable(
            f"the DSN of the {name} database cannot be read; write it as postgresql://user:password@host:port/database,"
            " with %40 for an @ in the password, and so on"
        )


def _refuse_pooler(name: str, connection: Connection) -> None:
    """Whoever lends out sessions gives each client a number of its own; roles, locks and settings would be lost."""
    if catalog.scalar(connection, "SELECT pg_backend_pid()") != connection.info.backend_pid:
        connection.close()
        raise DatabaseUnreachable(_POOLED.format(name))


def _why(name: str, dsn: str, error: psycopg.OperationalError) -> str:
    where = psycopg.conninfo.conninfo_to_dict(dsn)
    text = str(error).strip()
    # A line for each host and attempt; the lines between only advise.
    reasons = dict.fromkeys(re.findall(r"^.*failed: (?:FATAL:\s+)?(.+)$", text, re.MULTILINE))
    why = ", ".join(reasons) or text.partition("\n")[0] or type(error).__name__
    if "unsupported startup parameter" in why:
        return _POOLED.format(name)
    return (
        f'cannot connect to the {name} database "{where.get("dbname", "")}" at '
        f'{where.get("host", "")}:{where.get("port", 5432)} as "{where.get("user", "")}": '
        f"{why}; check that it runs and that its DSN is right"
    )


def _first_line(error: psycopg.Error) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].removeprefix("FATAL:").strip() if lines else type(error).__name__
