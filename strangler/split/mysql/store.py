"""A connection to a MySQL or MariaDB database of a move."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import resources
from typing import Any

import pymysql

from strangler.split.deletions import Followed
from strangler.split.errors import Busy, CasFailed, DatabaseUnreachable, SplitError, StatementFailed, translating
from strangler.split.locks import Locks
from strangler.split.mysql import catalog, condition, fitness, guards, plans, references, rules, wording
from strangler.split.mysql.archive import MySQLArchives
from strangler.split.mysql.errors import translated
from strangler.split.mysql.locks import NamedLocks
from strangler.split.mysql.login import Login, read_login
from strangler.split.mysql.shape_rows import MySQLShapes
from strangler.split.mysql.wording import Connection
from strangler.split.numbers import Numbers
from strangler.split.rules import Rule
from strangler.split.shapes import Shapes
from strangler.split.spec import MoveSpec, Side
from strangler.split.store import Claim, Compared, Role, SequenceFloor, Store
from strangler.split.table import Key, Table

_DENIED = {1044, 1045, 1698}
_TABLES = (
    "ownership",
    "claims",
    "changes",
    "streams",
    "unverified",
    "copies",
    "ranges",
    "verifications",
    "routing",
)


@translating(translated)
class MySQLStore(MySQLArchives, Store):
    """See Store."""

    engine = "mysql"
    numbers_apart = (
        "set auto_increment_increment to 2 on both servers and auto_increment_offset to 1 on the one and 2 on the "
        "other, let the applications connect again, or let them give the keys themselves"
    )
    connection: Connection

    def __init__(self, name: str, connection: Connection, login: Login, lock_timeout: float) -> None:
        self.name = name
        self.connection = connection
        self._login = login
        self._lock_timeout = lock_timeout
        self._in_transaction = False

    @classmethod
    def connect(cls, name: str, dsn: str, role: Role, lock_timeout: float) -> MySQLStore:
        """See Database.connect. Bounds of locks are whole seconds, but for the switch's on MariaDB."""
        login = read_login(name, dsn)
        if role is Role.APPLIER:
            return cls._connect_as_applier(name, login, lock_timeout)
        store = cls._connect(name, login, login.user, login.password, lock_timeout)
        if role is Role.PLAIN:
            store.run(["SET SESSION foreign_key_checks = 1, sql_mode = @@GLOBAL.sql_mode"])
        return store

    @classmethod
    def _connect(cls, name: str, login: Login, user: str, password: str, lock_timeout: float) -> MySQLStore:
        connection = login.connect(name, user, password, lock_timeout)
        mariadb = catalog.is_mariadb(connection)
        return (MariaDBStore if mariadb else MySQLStore)(name, connection, login, lock_timeout)

    @classmethod
    def _connect_as_applier(cls, name: str, login: Login, lock_timeout: float) -> MySQLStore:
        who = (login.applier, login.applier_password)
        try:
            return cls._connect(name, login, *who, lock_timeout)
        except DatabaseUnreachable as error:
            if not isinstance(error.__cause__, pymysql.Error) or error.__cause__.args[0] not in _DENIED:
                raise
        # The administrator has another password since, or is another one.
        with cls._connect(name, login, login.user, login.password, lock_timeout) as administrator:
            try:
                administrator.run([f"ALTER USER '{who[0]}'@'%' IDENTIFIED BY '{who[1]}'"])
            except StatementFailed as error:
                raise SplitError(
                    f'the user "{who[0]}", by whom changes are applied, does not get in at the {name} database '
                    f"({error}); create the move first, and grant CREATE USER to its administrator"
                ) from error
        return cls._connect(name, login, *who, lock_timeout)

    def query(self, statement: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return catalog.query(self.connection, wording.translated(statement), params)

    def execute(self, statement: str, params: Sequence[object] = ()) -> int:
        with self.connection.cursor() as cursor:
            return cursor.execute(wording.translated(statement), params or None)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._within("START TRANSACTION"):
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        self.run(["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"])
        with self._within("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"):
            yield

    @contextmanager
    def alone(self, move: str) -> Iterator[None]:
        lock = hashlib.sha256(f"{self._login.database}/{move}".encode()).hexdigest()[:40]
        if not self.scalar("SELECT GET_LOCK(%s, %s)", (lock, math.ceil(self._lock_timeout))):
            raise Busy(f'somebody else sets move "{move}" up in the {self.name} database, or takes it out; try later')
        try:
            with self.transaction():
                yield
        finally:
            with suppress(StatementFailed):
                self.query("SELECT RELEASE_LOCK(%s)", (lock,))

    def locks(self, label: str) -> Locks:
        return NamedLocks(self.connection, self._login.database)

    def now(self) -> float:
        return float(self.scalar("SELECT UNIX_TIMESTAMP(NOW(6))"))

    def close(self) -> None:
        with suppress(pymysql.Error):
            self.connection.close()

    def identity(self) -> str:
        rows = self.query(
            "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uid', 'server_uuid', 'hostname', 'port', 'datadir')"
        )
        return f"{sorted(rows)} {self._login.database}"

    def unfit(self, tables: Sequence[Table], followed: Sequence[Table]) -> Iterator[str]:
        yield from fitness.unfit(self.connection, [*tables, *followed])

    def describe(self, name: str, columns: tuple[str, ...] | None = None) -> Table:
        return catalog.describe(self.connection, name, columns)

    def only(self, table: Table, where: str) -> Table:
        return condition.only(self.connection, table, where)

    def shape(self, tables: Iterable[Table]) -> str:
        return catalog.shape(self.connection, list(tables))

    def crossing_keys(self, tables: Sequence[Table]) -> list[str]:
        return references.crossing_keys(self.connection, tables)

    def orphans(self, tables: Sequence[Table]) -> list[str]:
        return references.orphans(self.connection, tables)

    def straddling(self, tables: Sequence[Table], keys: Mapping[str, Sequence[Key]] | None = None) -> Iterator[str]:
        yield from condition.straddling(self.connection, tables, keys)

    def numbers(self, table: Table) -> dict[str, Numbers]:
        return catalog.numbers(self.connection, table)

    def rules(self, tables: Sequence[Table]) -> Iterator[Rule]:
        yield from rules.rules(self.connection, tables)

    def analyze(self, tables: Iterable[Table]) -> None:
        self.run(f"ANALYZE TABLE {table.relation}" for table in tables)

    def replica_lag(self) -> float:
        raise SplitError(
            f"the server of the {self.name} database does not know how far its replicas are behind; "
            "throttle the copy by rows_per_second instead of replica_lag"
        )

    def running(self) -> int:
        found = self.query("SHOW GLOBAL STATUS LIKE 'Threads_running'")
        return max(int(found[0][1]) - 1, 0)  # all but this one

    def set_up(self, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], side: Side) -> Iterator[str]:
        return guards.create(spec, claims, captured, side, self._login.applier)

    def take_down(
        self, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], side: Side
    ) -> Iterator[str]:
        return guards.drop(spec, claims, captured)

    def run(self, statements: Iterable[str]) -> None:
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            if self._in_transaction:
                # A change of the schema has ended it; what follows shall be one transaction all the same.
                cursor.execute("START TRANSACTION")

    def create_tables(self) -> None:
        schema = resources.files("strangler.split.mysql").joinpath("schema.sql").read_text(encoding="utf-8")
        applier = f"'{self._login.applier}'@'%'"
        self.run(filter(str.strip, schema.split(";\n")))
        self.run([f"CREATE USER IF NOT EXISTS {applier} IDENTIFIED BY '{self._login.applier_password}'"])
        self.run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON strangler_{table} TO {applier}" for table in _TABLES)

    def has_tables(self, one: str = "ownership") -> bool:
        return self.exists(f"strangler_{one}")

    def guard_faults(
        self, spec: MoveSpec, claims: Sequence[Claim], captured: Sequence[Table], *, fenced: bool
    ) -> Iterator[str]:
        yield from guards.faults(self.connection, spec, claims, captured, self._login.applier, fenced=fenced)

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
        # Before the compare-and-set, which it does not hang on: a counter that is higher than it need be harms nobody.
        self._raise_counters(sequences)
        # It asks for the row's own move, so that it looks once the row is locked: appliers share that lock.
        behind = "EXISTS (SELECT 1 FROM strangler.unverified u WHERE u.move = o.move AND u.batch > %s AND u.name IN %s)"
        changed = self.execute(
            self._bounded(
                "UPDATE strangler.ownership o JOIN strangler.fences f ON f.move = o.move "
                "SET o.epoch = o.epoch + 1, o.owns = %s, o.term = %s, o.done = %s, "
                "o.changed_at = UNIX_TIMESTAMP(NOW(6)), f.owns = %s, f.term = %s WHERE o.move = %s AND o.epoch = %s"
                + (f" AND NOT {behind}" if compared else "")
            ),
            (owns, term, done, owns, term, move, epoch, *((compared.batch, compared.tables) if compared else ())),
        )
        if not changed:
            found = self.scalar("SELECT epoch FROM strangler.ownership WHERE move = %s", (move,))
            if compared and found == epoch:
                raise CasFailed(compared.refusal(move))
            raise CasFailed(f'ownership of move "{move}" is at epoch {found}, not {epoch}')
        if not owns:
            self._await_prepared(move)

    def _await_prepared(self, move: str) -> None:
        """See that no transaction is left that has written before the fence.

        One that is prepared (XA) holds no shared lock any more, so the fence did not wait for it. Its rows of the log
        are still locked.
        """
        try:
            self.query("SELECT count(*) FROM strangler.changes WHERE move = %s FOR SHARE", (move,))
        except Busy as error:
            # Not Busy any more: the ownership row has changed.
            raise StatementFailed(
                f'a transaction of the {self.name} database that has written tables of move "{move}" has not ended: '
                "a prepared one (XA RECOVER shows it), or an open one that wrote a table which is only copied; end it"
            ) from error

    def old_writers(self, tables: Sequence[Table], seconds: float) -> str | None:
        return catalog.old_writers(self.connection, seconds)

    def last_numbers(self, table: Table) -> dict[str, int]:
        return catalog.last_numbers(self.connection, table)

    def acknowledge(self, move: str, batch: int, seqs: Sequence[int]) -> None:
        with self.transaction():
            for begin in range(0, len(seqs), wording.KEYS):
                # A join in this order goes by the primary key: a scan would wait for rows that are being written.
                numbers = " UNION ALL ".join(f"SELECT {number} AS seq" for number in seqs[begin : begin + wording.KEYS])
                self.execute(
                    f"DELETE log FROM ({numbers}) applied STRAIGHT_JOIN strangler.changes log FORCE INDEX (PRIMARY) "
                    "ON log.move = %s AND log.seq = applied.seq",
                    (move,),
                )
            self.execute(
                "UPDATE strangler.streams SET acknowledged = GREATEST(acknowledged, %s) WHERE move = %s", (batch, move)
            )

    def note_unverified(self, move: str, name: str, keys: Sequence[str], batch: int) -> None:
        with self.connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO strangler_unverified (move, name, digest, `key`, batch) VALUES (%s, %s, %s, %s, %s) "
                "ON DUPLICATE KEY UPDATE batch = VALUES(batch)",
                [(move, name, hashlib.sha256(key.encode()).digest(), key, batch) for key in keys],
            )

    def create_plan_tables(self, user: str) -> None:
        script = resources.files("strangler.split.mysql").joinpath("plans.sql").read_text(encoding="utf-8")
        self.run(filter(str.strip, script.split(";\n")))
        if user and user != self.scalar("SELECT CURRENT_USER"):
            self.run(plans.grants(user))

    def unseen_deletions(self, followed: Followed) -> Iterator[str]:
        yield from plans.unseen(self.connection, followed)

    def note_deletions(self, followed: Followed) -> Iterator[str]:
        yield from plans.triggers(self.connection, followed)

    def ignore_deletions(self, followed: Followed) -> Iterator[str]:
        yield from plans.no_triggers(followed)

    def two_shapes(self, wide: str, narrow: str, columns: tuple[str, ...]) -> Shapes:
        return MySQLShapes(self, wide, narrow, columns)

    def exists(self, name: str) -> bool:
        return bool(
            self.query(
                "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s", (name,)
            )
        )

    def _bounded(self, statement: str) -> str:
        return statement

    def _raise_counters(self, floors: Sequence[SequenceFloor]) -> None:
        """Let AUTO_INCREMENT go on behind the floors, never downwards.

        A row that gets the number and is rolled back raises the counter for good, and no reader is waited for. ALTER
        TABLE does wait for them; it is left for a table without rows, or whose own rules refuse that row.
        """
        if not floors:
            return
        with self._connect_as_applier(self.name, self._login, self._lock_timeout) as applier:
            for floor in floors:
                column = wording.identifier(floor.attribute)
                with suppress(StatementFailed):
                    applier.run(
                        [
                            "START TRANSACTION",
                            f"UPDATE {floor.relation} SET {column} = {floor.at_least} ORDER BY {column} DESC LIMIT 1",
                        ]
                    )
                applier.run(["ROLLBACK"])
        for floor in floors:
            found = self.scalar(
                "SELECT AUTO_INCREMENT FROM information_schema.TABLES "
                "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s",
                (floor.relation[1:-1].replace("``", "`"),),
            )
            if int(found or 0) <= floor.at_least:
                self.run([f"ALTER TABLE {floor.relation} AUTO_INCREMENT = {floor.at_least + 1}"])

    @contextmanager
    def _within(self, begin: str) -> Iterator[None]:
        self.run([begin])
        self._in_transaction = True
        try:
            yield
        except BaseException:
            self._in_transaction = False
            with suppress(StatementFailed):
                self.run(["ROLLBACK"])
            raise
        self._in_transaction = False
        self.run(["COMMIT"])


class MariaDBStore(MySQLStore):
    """Rows pass by value between MariaDB and MySQL: their types bear other names."""

    engine = "mariadb"

    def _bounded(self, statement: str) -> str:
        return f"SET STATEMENT max_statement_time = {self._lock_timeout:.3f} FOR {statement}"
