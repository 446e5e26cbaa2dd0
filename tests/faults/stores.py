"""Stores and databases of the toolkit that stand at a boundary before each of their statements.

What a fault does to a connection is done here: the process dies, a statement or its answer is lost, or it arrives
late, when its sender has long been told that the connection broke; the server refuses it, or dies itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg.pq import TransactionStatus

from strangler.split import Side
from strangler.split.errors import Busy, DatabaseUnreachable, StatementFailed
from strangler.split.postgres import PostgresStore
from strangler.split.store import Database, Role
from strangler.split.table import Key, KeyRange, Selection, Table
from tests.faults.bench import BEGINNING, Bench, Kind
from tests.faults.world import Actor, Killed

_SAFETY = 300.0
"""Real lock timeout: the world's own, by its clock, is the one that counts."""
_SET_OWNER = "SELECT strangler.set_owner("
_FLUSHED = "pg_current_wal_flush_lsn()"
_PEEK = "pg_logical_slot_peek"
_LSN = re.compile("[0-9A-F]+/[0-9A-F]+")
HELPERS = """
    -- The world finds deadlocks itself: when they come about, not when the server happens to look.
    ALTER ROLE CURRENT_USER SET deadlock_timeout = '10min';
    CREATE SCHEMA IF NOT EXISTS simulated;
    CREATE OR REPLACE FUNCTION simulated.dated(p_epoch bigint, p_move text, p_now float)
    RETURNS bigint LANGUAGE plpgsql AS $$
    BEGIN UPDATE strangler.ownership SET changed_at = p_now WHERE move = p_move; RETURN p_epoch; END $$;
    CREATE OR REPLACE FUNCTION simulated.fail(p_state text, p_message text) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION USING ERRCODE = p_state, MESSAGE = p_message; END $$;
    CREATE OR REPLACE FUNCTION simulated.owners() RETURNS bigint LANGUAGE plpgsql AS $$
    BEGIN
        IF to_regclass('strangler.ownership') IS NULL THEN RETURN 0; END IF;
        RETURN (SELECT count(*) FROM strangler.ownership WHERE owns);
    END $$;
    CREATE OR REPLACE FUNCTION simulated.stands(p_by_log boolean) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
        IF to_regclass('strangler.ownership') IS NULL THEN RETURN false; END IF;
        RETURN (SELECT count(*) >= 3 FROM strangler.claims JOIN strangler.ownership USING (move) WHERE NOT done)
           AND (SELECT count(*) FROM strangler.slots) = p_by_log::int
           AND (SELECT count(*) FROM strangler.slots JOIN pg_replication_slots ON slot_name = slot
                JOIN pg_publication ON pubname = slot WHERE position IS NOT NULL) = p_by_log::int;
    END $$;
"""
"""A compare-and-set's time by the world's clock; what a server that refuses a statement does; looks at what stands."""


class SimulatedStore(PostgresStore):
    """A PostgreSQL store in the world."""

    bench: Bench
    side: Side
    lock_timeout: float
    pid: int
    role: Role
    broken = False
    relaxed = False
    began: float | None = None  # the transaction that is open

    def query(self, statement: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        if statement.startswith(_SET_OWNER):
            statement = statement.replace(_SET_OWNER, "SELECT simulated.dated(strangler.set_owner(") + ", %s, %s)"
            params = (*params, params[0], self._now())

        def effect() -> list[tuple[Any, ...]]:
            if _FLUSHED in statement:
                self.bench.flush(self.side)
            return super(SimulatedStore, self).query(statement, params)

        return self._send(_label(statement, params), effect)

    def stream(self, statement: str, params: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        def effect() -> list[tuple[Any, ...]]:
            if _PEEK in statement:
                # A record of which only a part is on the disk would be waited for until somebody commits: nobody moves.
                self.bench.flush(self.side)
            return list(super(SimulatedStore, self).stream(statement, params))

        yield from self._send(_label(statement, params), effect)

    def execute(self, statement: str, params: Sequence[object] = ()) -> int:
        return self._send(_label(statement, params), lambda: super(SimulatedStore, self).execute(statement, params))

    def run(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self._send(_label(statement, ()), lambda one=statement: super(SimulatedStore, self).run([one]))

    def load(self, table: Table, pieces: Iterable[Any]) -> int:
        return self._send(f"load {table.name}", lambda: super(SimulatedStore, self).load(table, pieces))

    def delete(self, table: Table, selection: Selection) -> None:
        self._send(f"delete {table.name}", lambda: super(SimulatedStore, self).delete(table, selection))

    def range_end(self, table: Table, keys: KeyRange, size: int) -> Key | None:
        return self._send(f"end of {table.name}", lambda: super(SimulatedStore, self).range_end(table, keys, size))

    def texts(self, table: Table, keys: tuple[Key, ...]) -> dict[Key, tuple[str | None, ...]]:
        return self._send(f"texts of {table.name}", lambda: super(SimulatedStore, self).texts(table, keys))

    def last_numbers(self, table: Table) -> dict[str, int]:
        return self._send(f"numbers of {table.name}", lambda: super(SimulatedStore, self).last_numbers(table))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        if self.began is not None:
            with self._bracket("SAVEPOINT one", "RELEASE SAVEPOINT one", "ROLLBACK TO SAVEPOINT one"):
                yield
            return
        with self._bracket("BEGIN", "COMMIT"):
            self._mark()
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with self._bracket("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "COMMIT"):
            yield

    def now(self) -> float:
        """By the world's clock, and what this database's clock has jumped."""
        self._send("now", lambda: None)
        return self._now()

    def old_writers(self, tables: Sequence[Table], seconds: float) -> str | None:
        """By the world's clock."""
        found = super().old_writers(tables, 0.0)
        before = self.bench.world.clock - seconds
        old = [actor for actor in self.bench.world.everybody() for store in actor.stores if store.older_than(before)]
        return f"of {old[0].name}" if found and old else None

    def older_than(self, moment: float) -> bool:
        return self.began is not None and self.began < moment

    def close(self) -> None:
        actor = self.bench.world.me()
        if actor is not None and self in actor.stores:
            actor.stores.remove(self)
        if self.broken or self.relaxed or self.connection.info.transaction_status is not TransactionStatus.IDLE:
            self.drop()
        elif not self.connection.closed:
            # For the next one who connects: a new connection costs more than all that a seed does with it.
            self.bench.idle.setdefault((self.side, self.role), []).append(self.connection)
            self.broken = True

    def relax(self) -> None:
        super().relax()
        self.relaxed = True  # nobody else gets it: who connects anew has commits that are durable

    def become_again(self) -> None:
        """What a new connection of the applier's finds out, too: whether its transactions have to be marked."""
        self.connection.execute("RESET ROLE")
        self._become_applier()

    def drop(self) -> None:
        """As the server sees a broken connection, and at once: what is open is rolled back."""
        if not self.broken:
            self.broken = True
            if not self.connection.closed:
                self.connection.pgconn.exec_(b"ROLLBACK")
                self.connection.close()
            self.bench.world.freed()

    def _now(self) -> float:
        return BEGINNING + self.bench.world.clock + self.bench.clock_jumps[self.side]

    @contextmanager
    def _bracket(self, begin: str, end: str, undo: str = "ROLLBACK") -> Iterator[None]:
        """A transaction whose ends are statements, so that they can be lost or late, too."""
        outer = self.began
        self.execute(begin)
        self.began = self.bench.world.clock if outer is None else outer
        try:
            yield
            self.began = outer
            self.execute(end)
        except BaseException:
            if not self.broken:
                super().execute(undo)
            raise
        finally:
            self.began = outer
            self.bench.world.freed()

    def _send(self, what: str, effect: Callable[[], Any]) -> Any:
        """One statement behind its boundary."""
        world = self.bench.world
        actor = world.me()
        if actor is None:
            return effect()
        what = f"{self.side}: {what}"
        world.boundary(what)
        self._refuse_broken()
        fault = self.bench.due(what)
        match None if fault is None else fault.kind:
            case Kind.SLEEP:
                world.sleep(fault.seconds)
                self._refuse_broken()
            case Kind.KILL:
                raise Killed
            case Kind.LOSE_REQUEST:
                self._lose()
            case Kind.LATE | Kind.KILL_LATE as kind:
                self._later(actor, effect, fault.seconds)
                if kind is Kind.KILL_LATE:
                    raise Killed
                raise StatementFailed("the connection is lost")
            case Kind.CRASH:
                self.bench.crash(self.side, fault.seconds)
                self._refuse_broken()
            case Kind.FULL_DISK | Kind.DEADLOCK | Kind.LOCK_TIMEOUT as kind:
                effect = self._refused(kind)
        result = self._timed(actor, effect)
        match None if fault is None else fault.kind:
            case Kind.KILL_AFTER:
                raise Killed
            case Kind.LOSE_ANSWER:
                self._lose()
            case Kind.CRASH_AFTER:
                self.bench.crash(self.side, fault.seconds)
                self._refuse_broken()
        return result

    def _refused(self, kind: Kind) -> Callable[[], Any]:
        """Sent in place of a statement, so that the server ends the transaction for that reason."""
        params = (kind.sqlstate, f"{kind} (sent by the suite)")
        return lambda: super(SimulatedStore, self).query("SELECT simulated.fail(%s, %s)", params)

    def _timed(self, actor: Actor, effect: Callable[[], Any]) -> Any:
        actor.ended = ""
        try:
            return effect()
        except StatementFailed as error:
            if actor.ended:
                raise Busy(actor.ended) from error
            raise
        finally:
            if self.began is None:
                self.bench.world.freed()
            self.bench.world.returned(actor)
            actor.ended = ""

    def _lose(self) -> None:
        self.drop()
        raise StatementFailed("the connection is lost")

    def _refuse_broken(self) -> None:
        if self.broken:
            raise StatementFailed("the connection is lost")

    def _later(self, actor: Actor, effect: Callable[[], Any], seconds: float) -> None:
        """The statement is on its way; nobody will read its answer."""
        self.broken = True
        actor.stores.remove(self)

        def arrive(ghost: Actor) -> None:
            ghost.stores.append(self)
            try:
                effect()
            except Exception as error:
                self.bench.world.note(f"arrived late, failed: {str(error).splitlines()[0]}")
            else:
                self.bench.world.note("arrived late, done")
            ghost.stores.remove(self)
            self.broken = False
            self.drop()

        self.bench.world.add(f"{actor.name} late", arrive, after=seconds)


@dataclass(frozen=True, kw_only=True)
class SimulatedDatabase(Database):
    """Gives simulated stores."""

    bench: Bench
    side: Side
    by_log: bool = False  # the move is captured by the server's own log

    def connect(self, role: Role = Role.ADMINISTRATOR, *, lock_timeout: float = 5.0) -> SimulatedStore:
        if self.bench.is_down(self.side):
            raise DatabaseUnreachable(f"the {self.side} does not answer: it has crashed")
        if waiting := self.bench.idle.get((self.side, role)):
            store = SimulatedStore(self.name, waiting.pop())
            if self.by_log and role is Role.APPLIER:
                store.become_again()
        else:
            store = SimulatedStore.connect(self.name, self.dsn, role, _SAFETY)
            if role is Role.SWITCH:
                store.connection.execute("RESET deadlock_timeout")  # to that of HELPERS
        assert isinstance(store, SimulatedStore)
        store.bench, store.side, store.role, store.lock_timeout = self.bench, self.side, role, lock_timeout
        store.pid = store.connection.info.backend_pid
        actor = self.bench.world.me()
        if actor is not None:
            actor.stores.append(store)
        return store


def _label(statement: str, params: Sequence[object]) -> str:
    words = statement.replace("%s", "?").split()
    # Places in the log differ from run to run.
    shown = [
        "a place" if isinstance(value, str) and _LSN.fullmatch(value) else value
        for value in params
        if not isinstance(value, str) or len(value) < 30
    ]
    values = f" {shown}" if params else ""
    return " ".join(words)[:90] + values[:80]
