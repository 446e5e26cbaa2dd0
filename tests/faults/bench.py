"""The faults of a seed, and where stores find the world in which they happen."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from strangler.split import Side
from strangler.split.postgres.catalog import Connection
from strangler.split.store import Role
from tests.faults.world import Killed, RealTime, World

BEGINNING = 1_800_000_000.0
"""Seconds since 1970 at the world's zero."""
_SQLSTATES = {"full disk": "53100", "deadlock": "40P01", "lock timeout": "55P03"}


class Kind(enum.StrEnum):
    """What happens at a boundary."""

    KILL = "kill"  # the process dies before the statement
    KILL_AFTER = "kill after"  # the process dies when the statement is done
    KILL_LATE = "kill, statement late"  # the process dies, and the statement it has sent arrives later
    LOSE_REQUEST = "lose request"  # the connection breaks before the statement
    LOSE_ANSWER = "lose answer"  # the connection breaks when the statement is done
    LATE = "late"  # the connection breaks, and the statement arrives later
    SLEEP = "sleep"  # the process is stopped for a while and wakes (SIGSTOP, a pause of the machine, a slow network)
    FULL_DISK = "full disk"  # the server has no room for what the statement writes, and rolls back
    DEADLOCK = "deadlock"  # the server ends the transaction, since it and another one wait for each other
    LOCK_TIMEOUT = "lock timeout"  # the server ends the transaction, since somebody holds a lock for too long
    CRASH = "crash"  # the server's processes are killed before the statement; it recovers
    CRASH_AFTER = "crash after"  # they are killed when the statement is done

    @property
    def sqlstate(self) -> str:
        """What a server that refuses the statement says."""
        return _SQLSTATES[self.value]


@dataclass(kw_only=True)
class Fault:
    """One fault: at the n-th boundary of an actor whose name contains "where"; it happens once."""

    kind: Kind
    where: str
    nth: int
    seconds: float  # of sleep or of a server's absence, or by how much a statement is late
    then: str = ""  # what another executor does meanwhile
    met: int = 0
    happened: bool = False

    def __str__(self) -> str:
        at = f"at boundary {self.nth}" + (f' with "{self.where}"' if self.where else "")
        timed = self.kind in (Kind.SLEEP, Kind.LATE, Kind.KILL_LATE, Kind.CRASH, Kind.CRASH_AFTER)
        meanwhile = f"; another one meanwhile: {self.then}" if self.then else ""
        return f"{self.kind} {at}" + (f", {self.seconds:.2f} s" if timed else "") + meanwhile


class Bench:
    """Where stores find the world and the faults of the actor who uses them."""

    def __init__(self, world: World | RealTime, idle: dict[tuple[Side, Role], list[Connection]]) -> None:
        self.world: Any = world
        self.idle = idle  # connections that nobody uses now
        self.faults: dict[str, list[Fault]] = {}  # by the actor's name
        self.rescue: Callable[[str], None] = lambda then: None
        self.restart: Callable[[Side], None] = lambda side: None  # ends a server as "kill -9" does, and starts it
        self.flush: Callable[[Side], None] = lambda side: None  # a commit of its own takes the whole log to the disk
        self.clock_jumps: dict[Side, float] = dict.fromkeys(Side, 0.0)
        self._down_until: dict[Side, float] = {}

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
        if self.world.me() is None:
            return
        self.world.boundary(what)
        fault = self.due(what)
        if fault is None:
            return
        if fault.kind in (Kind.KILL, Kind.KILL_AFTER, Kind.KILL_LATE):
            raise Killed
        if fault.kind in (Kind.CRASH, Kind.CRASH_AFTER):
            self.crash(self.world.random.choice(list(Side)), fault.seconds)
        else:
            self.world.sleep(fault.seconds)

    def crash(self, side: Side, seconds: float) -> None:
        """End that server, let it recover, and let nobody connect for so long."""
        self.restart(side)
        self._down_until[side] = self.world.clock + seconds
        for connections in [self.idle.pop((side, role), []) for role in Role]:
            for connection in connections:
                connection.close()
        for actor in self.world.everybody():
            for store in actor.stores:
                if store.side is side:
                    store.broken = True
                    if not actor.stopped.get(side):
                        store.connection.close()
        self.world.freed()

    def is_down(self, side: Side) -> bool:
        """For those in the world."""
        return self.world.me() is not None and self._down_until.get(side, 0.0) > self.world.clock
