"""A connection to a PostgreSQL database of a move."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import resources
from typing import Any

import psycopg
from psycopg import IsolationLevel
from psycopg.pq import TransactionStatus

from strangler.split.deletions import Followed
from strangler.split.errors import DatabaseUnreachable, SplitError, translating
from strangler.split.locks import Locks
from strangler.split.log import Log
from strangler.split.numbers import Numbers
from strangler.split.postgres import (
    aside,
    catalog,
    condition,
    fitness,
    guards,
    plans,
    publication,
    rules,
)
from strangler.split.postgres.archive import PostgresArchives
from strangler.split.postgres.catalog import Connection
from strangler.split.postgres.dsn import refuse_pooler, refuse_unreadable, why
from strangler.split.postgres.errors import first_line, translated
from strangler.split.postgres.locks import AdvisoryLocks
from strangler.split.postgres.log import WalLog
from strangler.split.postgres.pgoutput import APPLIED
from strangler.split.postgres.rows import PostgresRows
from strangler.split.postgres.shape_rows import PostgresShapes
from strangler.split.rules import Rule
from strangler.split.shapes import Shapes
from strangler.split.spec import Capture, MoveSpec, Side
from strangler.split.store import Claim, Compared, Role, SequenceFloor, Store
from strangler.split.table import Key, Table

# Rows are compared as text, so everything that changes how a value is written is fixed. A host that is gone is noticed
# in seconds, so that what its worker has locked is free again.
_SETTINGS = (
    "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 "
    "-c bytea_output=hex -c row_security=off -c synchronous_commit=on "
    "-c idle_in_transaction_session_timeout=60000 "
    "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)
_APPLICATION = "django-strangler"


@translating(translated)
class PostgresStore(PostgresRows, PostgresArchives, Store):
    """See Store."""

    engine = "postgresql"
    numbers_apart = (
        "give the sequence of each a range of its own (MAXVALUE in the one, MINVALUE and RESTART in the other)"
    )
    connection: Connection

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        self.connection = connection
        self._marked = False  # its transactions are told from others' in the log

    @classmethod
    def connect(cls, name: str, dsn: str, role: Role, lock_timeout: float) -> PostgresStore:
        """See Database.connect."""
        refuse_unreadable(name, dsn)
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
            raise DatabaseUnreachable(why(name, dsn, error)) from error
        # Snapshots are the only transactions with another level, and set it themselves.
        connection.isolation_level = IsolationLevel.READ_COMMITTED
        store = cls(name, connection)
        try:
            refuse_pooler(name, connection)
            if role is Role.SWITCH:
                store._hurry_vacuum()
        except psycopg.OperationalError as error:
            connection.close()
            raise DatabaseUnreachable(why(name, dsn, error)) from error
        if role is Role.APPLIER:
            store._become_applier()
        return store

    def query(self, statement: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement.encode(), params).fetchall()

    def execute(self, statement: str, params: Sequence[object] = ()) -> int:
        return self.connection.execute(statement.encode(), params).rowcount

    def stream(self, statement: str, params: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement as they come, their values in binary."""
        with self.connection.cursor() as cursor:
            yield from cursor.stream(statement.encode(), params, binary=True, size=1_000)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        outermost = self.connection.info.transaction_status is TransactionStatus.IDLE
        with translated(), self.connection.transaction():
            if outermost:
                self._mark()
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with translated(), self.connection.transaction():
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
        return AdvisoryLocks(self.connection, label)

    def now(self) -> float:
        return float(self.scalar("SELECT extract(epoch FROM clock_timestamp())"))

    def close(self) -> None:
        self.connection.close()

    def identity(self) -> str:
        return str(self.scalar("SELECT system_identifier::text || current_database() FROM pg_control_system()"))

    def unfit(self, tables: Sequence[Table], followed: Sequence[Table]) -> Iterator[str]:
        yield from fitness.unfit(self.connection, tables, followed)

    def lacking(self, tables: Sequence[Table], *, filled: bool) -> Iterator[str]:
        yield from fitness.lacking(self.connection, tables, filled=filled)

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
        for statement in aside.drop(self.connection, move, tables):
            yield statement.as_string(self.connection)

    def aside(self, move: str) -> list[str]:
        return [name for (name,) in self.query(aside.NAMES, (move,))]

    def put_back(self, move: str) -> None:
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
        for statement in statements:
            self.connection.execute(statement.encode())

    def two_shapes(self, wide: str, narrow: str, columns: tuple[str, ...]) -> Shapes:
        return PostgresShapes(self, wide, narrow, columns)

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
        yield from publication.unfit(self.connection, captured)

    def old_writers(self, tables: Sequence[Table], seconds: float) -> str | None:
        return catalog.old_writers(self.connection, tables, seconds)

    def last_numbers(self, table: Table) -> dict[str, int]:
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
                f"the user of the {self.name} database may not become strangler_applier ({first_line(error)}); "
                "give it superuser rights, or GRANT strangler_applier to it and "
                "GRANT SET ON PARAMETER session_replication_role"
            ) from error
