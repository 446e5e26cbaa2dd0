"""Stores and databases of the toolkit that stand at a boundary before and after each of their statements.

What a fault does to a connection is done here: the process dies, a statement or its answer is lost, or it arrives
late, when its sender has long been told that the connection broke.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg.pq import TransactionStatus

from strangler.split import Side
from strangler.split.errors import Busy, StatementFailed
from strangler.split.postgres import PostgresStore
from strangler.split.postgres.catalog import Connection
from strangler.split.store import Database, Role
from strangler.split.table import Selection, Table
from tests.faults.world import Actor, Killed, RealTime, World

_BEGINNING = 1_800_000_000.0
"""Seconds since 1970 at the world's zero."""
_SAFETY = 30.0
"""Real lock timeout: the world's own, by its clock, is the one that counts."""


class Kind(enum.StrEnum):
    """What happens at a boundary."""

    KILL = "kill"  # the process dies before the statement
    KILL_AFTER = "kill after"  # the process dies when the statement is done
    KILL_LATE = "kill, statement late"  # the process dies, and the statement it has sent arrives later
    LOSE_REQUEST = "lose request"  # the connection breaks before the statement
    LOSE_ANSWER = "lose answer"  # the connection breaks when the statement is done
    LATE = "late"  # the connection breaks, and the statement arrives later
    SLEEP = "sleep"  # the process is stopped for a while and wakes (SIGSTOP, a pause of the machine, a slow network)


@dataclass(kw_only=True)
class Fault:
    """One fault: at the n-th boundary of an actor whose name contains "where"; it happens once."""

    kind: Kind
    where: str
    nth: int
    seconds: float  # of sleep, or by how much a statement is late
    then: str = ""  # what another executor does meanwhile
    met: int = 0
    happened: bool = False

    def __str__(self) -> str:
        at = f"at boundary {self.nth}" + (f' with "{self.where}"' if self.where else "")
        timed = self.kind in (Kind.SLEEP, Kind.LATE, Kind.KILL_LATE)
        meanwhile = f"; another one meanwhile: {self.then}" if self.then else ""
        return f"{self.kind} {at}" + (f", {self.seconds:.2f} s" if timed else "") + meanwhile


class Bench:
    """Where stores find the world and the faults of the actor who uses them."""

    def __init__(self, world: World | RealTime, idle: dict[tuple[Side, Role], list[Connection]]) -> None:
        self.world = world
        self.idle = idle  # connections that nobody uses now
        self.faults: dict[str, list[Fault]] = {}  # by the actor's name
        self.rescue: Callable[[str], None] = lambda then: None
        self.clock_jumps: dict[Side, float] = dict.fromkeys(Side, 0.0)

    def due(self, what: str) -> Fault | None:
        """The fault that happens at this boundary, if one does."""
        actor = self.world.me()
        found = None
        for fault in self.faults.get(actor.name if actor else "", []):
            if fault.where in what and not fault.happened:
                fault.met += 1
                if fault.met == fault.nth and found is None:
                    fault.happened = True
                    found = fault
        if found is not None:
            if found.then:
                self.rescue(found.then)
            self.world.note(f"FAULT {found}, {what}")
        return found

    def point(self, what: str) -> None:
        """A boundary without a statement, where a process can only die or sleep."""
        self.world.boundary(what)
        fault = self.due(what)
        if fault is not None and fault.kind in (Kind.KILL, Kind.KILL_AFTER, Kind.KILL_LATE):
            raise Killed
        if fault is not None:
            self.world.sleep(fault.seconds)


class SimulatedStore(PostgresStore):
    """A PostgreSQL store in the world."""

    bench: Bench
    side: Side
    lock_timeout: float
    pid: int
    role: Role
    broken = False
    _within = False  # a transaction

    def query(self, statement: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._send(_label(statement, params), lambda: super(SimulatedStore, self).query(statement, params))

    def execute(self, statement: str, params: Sequence[object] = ()) -> int:
        return self._send(_label(statement, params), lambda: super(SimulatedStore, self).execute(statement, params))

    def run(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self._send(_label(statement, ()), lambda one=statement: super(SimulatedStore, self).run([one]))

    def load(self, table: Table, pieces: Iterable[Any]) -> int:
        return self._send(f"load {table.name}", lambda: super(SimulatedStore, self).load(table, pieces))

    def delete(self, table: Table, selection: Selection) -> None:
        self._send(f"delete {table.name}", lambda: super(SimulatedStore, self).delete(table, selection))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._bracket("BEGIN", "COMMIT"):
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with self._bracket("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "COMMIT"):
            yield

    def now(self) -> float:
        """By the world's clock, and what this database's clock has jumped."""
        self._send("now", lambda: None)
        return _BEGINNING + self.bench.world.clock + self.bench.clock_jumps[self.side]

    def close(self) -> None:
        actor = self.bench.world.me()
        if actor is not None and self in actor.stores:
            actor.stores.remove(self)
        if self.broken or self.connection.info.transaction_status is not TransactionStatus.IDLE:
            self._drop()
        elif not self.connection.closed:
            # For the next one who connects: a new connection costs more than all that a seed does with it.
            self.bench.idle.setdefault((self.side, self.role), []).append(self.connection)
            self.broken = True

    @contextmanager
    def _bracket(self, begin: str, end: str) -> Iterator[None]:
        """A transaction whose ends are statements, so that they can be lost or late, too."""
        self.execute(begin)
        self._within = True
        try:
            yield
            self._within = False
            self.execute(end)
        except BaseException:
            if not self.broken:
                super().execute("ROLLBACK")
            raise
        finally:
            self._within = False
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
        kind = None if fault is None else fault.kind
        if fault is not None and kind is Kind.SLEEP:
            world.sleep(fault.seconds)
            self._refuse_broken()
        elif kind is Kind.KILL:
            raise Killed
        elif kind is Kind.LOSE_REQUEST:
            self._lose()
        elif fault is not None and kind in (Kind.LATE, Kind.KILL_LATE):
            self._later(actor, effect, fault.seconds)
            if kind is Kind.KILL_LATE:
                raise Killed
            raise StatementFailed("the connection is lost")
        result = self._timed(actor, effect)
        if kind is Kind.KILL_AFTER:
            raise Killed
        if kind is Kind.LOSE_ANSWER:
            self._lose()
        return result

    def _timed(self, actor: Actor, effect: Callable[[], Any]) -> Any:
        actor.timed_out = False
        try:
            return effect()
        except StatementFailed as error:
            if actor.timed_out:
                raise Busy("canceling statement due to lock timeout") from error
            raise
        finally:
            if not self._within:
                self.bench.world.freed()
            self.bench.world.returned(actor)
            actor.timed_out = False

    def _lose(self) -> None:
        self._drop()
        raise StatementFailed("the connection is lost")

    def _drop(self) -> None:
        """As the server sees a broken connection, and at once: what is open is rolled back."""
        if not self.broken:
            self.broken = True
            if not self.connection.closed:
                self.connection.pgconn.exec_(b"ROLLBACK")
                self.connection.close()
            self.bench.world.freed()

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
            self._drop()

        self.bench.world.add(f"{actor.name} late", arrive, after=seconds)


@dataclass(frozen=True, kw_only=True)
class SimulatedDatabase(Database):
    """Gives simulated stores."""

    bench: Bench
    side: Side

    def connect(self, role: Role = Role.ADMINISTRATOR, *, lock_timeout: float = 5.0) -> SimulatedStore:
        if waiting := self.bench.idle.get((self.side, role)):
            store = SimulatedStore(self.name, waiting.pop())
        else:
            store = SimulatedStore.connect(self.name, self.dsn, role, _SAFETY)
        assert isinstance(store, SimulatedStore)
        store.bench, store.side, store.role, store.lock_timeout = self.bench, self.side, role, lock_timeout
        store.pid = store.connection.info.backend_pid
        actor = self.bench.world.me()
        if actor is not None:
            actor.stores.append(store)
        return store


def _label(statement: str, params: Sequence[object]) -> str:
    words = statement.replace("%s", "?").split()
    values = "" if not params else f" {[value for value in params if not isinstance(value, str) or len(value) < 30]}"
    return " ".join(words)[:90] + values[:80]
