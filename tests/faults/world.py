"""A small world with one clock, in which actors take turns: the same seed gives the same turns.

An actor is a thread that runs only when it is its turn, from one boundary to another; a boundary stands before every
statement that it sends to a database, and what is behind its last one concerns nobody else. The databases are real
ones. An actor whose statement waits for a lock gives its turn away until the lock is free, or until its lock timeout
has passed by the world's clock. Sleeping costs nothing: when nobody can run, the clock goes to the next moment at which
somebody can.

Whoever waits for a lock is stopped (see monitors.py), so that of several who were given their locks at one moment one
goes on after the other, and a deadlock is found when it comes about, not after a time.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from strangler.split import Side
from tests.faults.monitors import Monitor

_GIVE_AWAY = 0.4
"""How likely a turn ends at a boundary."""
_LOOK = 0.002
"""Real seconds after which it is asked whether a statement that has not returned waits for a lock."""
_STUCK = 60.0
"""Real seconds without any progress after which the world gives up."""
_real_sleep, _real_monotonic = time.sleep, time.monotonic


class Killed(BaseException):
    """The process is dead: nothing of it runs any more, its connections are closed."""


class Stuck(Exception):
    """The world does not go on; a fault of the suite or an endless loop in what it tests."""


def _closed() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(eq=False)
class Actor:
    """Somebody who takes turns. "body" runs in a thread of its own."""

    name: str
    body: Callable[[Actor], None]
    stores: list[Any] = field(default_factory=list)  # its open connections: see stores.SimulatedStore
    wake: float = 0.0  # by the world's clock
    deadline: float = 0.0  # of the lock that it waits for
    stopped: dict[Side, list[int]] = field(default_factory=dict)  # the server's processes that wait for it
    waited: bool = False  # for a lock, in the statement that it sent last
    ended: str = ""  # why the statement that waited was ended
    done: bool = False
    error: BaseException | None = None
    turn: threading.Lock = field(default_factory=_closed)
    arrived: threading.Lock = field(default_factory=_closed)


class World:
    """The actors, the clock and the trace. "look" is called whenever all stand still."""

    def __init__(self, seed: int, monitors: Mapping[Side, Monitor], look: Callable[[], None]) -> None:
        self.random = random.Random(seed)
        self.clock = 0.0
        self.steps = 0
        self._moments = 0
        self._freed = False  # a lock, since it was last asked who still waits
        self.trace: list[str] = []
        self.undisturbed = threading.Lock()  # to be held while a server is away
        self._monitors = monitors
        self._look = look
        self._actors: list[Actor] = []
        self._blocked: list[Actor] = []
        self._of_thread = threading.local()

    def add(self, name: str, body: Callable[[Actor], None], *, after: float = 0.0) -> Actor:
        """Let another actor begin, so many seconds from now."""
        actor = Actor(name=name, body=body, wake=self.clock + after)
        self._actors.append(actor)
        threading.Thread(target=self._live, args=(actor,), name=name, daemon=True).start()
        return actor

    def me(self) -> Actor | None:
        """The actor of this thread; None outside the world."""
        return getattr(self._of_thread, "actor", None)

    def boundary(self, what: str) -> None:
        """The calling actor stands at a boundary: others may take their turns."""
        actor = self.me()
        assert actor is not None
        self._write(actor.name, what)
        self.clock += 0.001
        # Where somebody waits for a lock, what was done may have freed it: they must not run beside this one.
        if self._blocked or actor.waited or self.random.random() < _GIVE_AWAY:
            self._give_turn_away(actor)

    def freed(self) -> None:
        """A transaction has ended: somebody who waits for a lock may have it now."""
        self._freed = True

    def returned(self, actor: Actor) -> None:
        """A statement has returned: one that had to wait goes on when it is its turn again."""
        if actor.waited:
            self._give_turn_away(actor)

    def sleep(self, seconds: float) -> None:
        """time.sleep() for actors."""
        actor = self.me()
        if actor is None:
            _real_sleep(seconds)
            return
        actor.wake = self.clock + seconds
        self._give_turn_away(actor)

    def monotonic(self) -> float:
        """time.monotonic() for actors."""
        return _real_monotonic() if self.me() is None else self.clock

    def moment(self) -> int:
        """A number for now: greater than all that were given before."""
        self._moments += 1
        return self._moments

    def everybody(self) -> list[Actor]:
        """Who is not done."""
        return [actor for actor in self._actors if not actor.done]

    def note(self, what: str) -> None:
        """Write into the trace what happens outside the databases."""
        actor = self.me()
        self._write(actor.name if actor else "-", what)

    @contextmanager
    def clocked(self) -> Iterator[None]:
        """Within, the time module's clock is the world's for its actors."""
        time.sleep, time.monotonic = self.sleep, self.monotonic
        try:
            yield
        finally:
            time.sleep, time.monotonic = _real_sleep, _real_monotonic

    def run(self) -> None:
        """Until all actors are done. Raises what an actor raised that it should not have."""
        try:
            self._take_turns()
        finally:
            for actor in list(self._blocked):
                self._resume(actor)  # a server does not end before its processes go on
        for actor in self._actors:
            if actor.error is not None:
                raise actor.error

    def _take_turns(self) -> None:
        while any(not actor.done for actor in self._actors):
            self._release_blocked()
            ready = [
                actor
                for actor in self._actors
                if not actor.done and actor not in self._blocked and actor.wake <= self.clock
            ]
            if ready:
                self.steps += 1
                actor = self.random.choice(ready)
                actor.turn.release()
                self._await(actor)
            else:
                self._pass_time()

    def _await(self, actor: Actor) -> None:
        """Until the actor stands at a boundary, or waits for a lock."""
        given_up = _real_monotonic() + _STUCK
        look = _LOOK
        while not actor.arrived.acquire(timeout=look):
            look = min(look * 2, 0.1)
            with self.undisturbed:
                waiting = {side: monitor.waiting(self._pids(actor, side)) for side, monitor in self._monitors.items()}
            if any(waiting.values()):
                self._block(actor, waiting)
                break
            if _real_monotonic() > given_up:
                raise Stuck(f"{actor.name} does not come back; the last steps were\n" + "\n".join(self.trace[-20:]))
        self._look()

    def _block(self, actor: Actor, waiting: dict[Side, list[int]]) -> None:
        actor.stopped, actor.waited = waiting, True
        patience = min(store.lock_timeout for store in actor.stores if store.pid in waiting[store.side])
        actor.deadline = self.clock + patience
        self._blocked.append(actor)
        self._write(actor.name, "waits for a lock")
        for side, pids in waiting.items():
            others = [pid for other in self._blocked for pid in other.stopped[side]]
            if pids and self._monitors[side].deadlocked(pids, others):
                self._end(actor, "deadlock detected")
                return
            self._monitors[side].stop(pids)

    def _release_blocked(self) -> None:
        """Those whose lock is free stand at their next boundary when this returns, or wait for another one."""
        while self._freed:
            self._freed = False
            for actor in list(self._blocked):
                still = [pid for side, pids in actor.stopped.items() for pid in self._monitors[side].waiting(pids)]
                if len(still) < sum(map(len, actor.stopped.values())):
                    self._resume(actor)
                    self._await(actor)

    def _pass_time(self) -> None:
        """Nobody can run now: go to the next moment at which somebody wakes, or has waited long enough for a lock."""
        sleepers = [actor.wake for actor in self._actors if not actor.done and actor not in self._blocked]
        first = min(self._blocked, key=lambda actor: actor.deadline, default=None)
        if first is not None and (not sleepers or first.deadline <= min(sleepers)):
            self.clock = max(self.clock, first.deadline)
            self._end(first, "canceling statement due to lock timeout")
        else:
            self.clock = max(self.clock, min(sleepers))

    def _end(self, actor: Actor, why: str) -> None:
        """End the statement that waits, as the server would."""
        actor.ended = why
        self._write(actor.name, why)
        waiting = actor.stopped
        self._resume(actor)
        given_up = _real_monotonic() + _STUCK
        while not actor.arrived.acquire(timeout=_LOOK):
            for side, pids in waiting.items():
                self._monitors[side].cancel(pids)
            if _real_monotonic() > given_up:
                raise Stuck(f"{actor.name} still waits for its lock")
        self._freed = True

    def _resume(self, actor: Actor) -> None:
        self._blocked.remove(actor)
        for side, pids in actor.stopped.items():
            self._monitors[side].resume(pids)
        actor.stopped = {}

    def _pids(self, actor: Actor, side: Side) -> list[int]:
        return [store.pid for store in actor.stores if store.side is side]

    def _write(self, who: str, what: str) -> None:
        self.trace.append(f"{self.steps:5} {self.clock:8.3f} {who:10} {what}")

    def _give_turn_away(self, actor: Actor) -> None:
        actor.waited = False
        actor.arrived.release()
        actor.turn.acquire()

    def _live(self, actor: Actor) -> None:
        self._of_thread.actor = actor
        actor.turn.acquire()
        try:
            actor.body(actor)
        except BaseException as error:
            actor.error = error
        actor.done = self._freed = True
        actor.arrived.release()


class RealTime:
    """Stands for the world where threads and processes run as they like, by the real clock."""

    def __init__(self) -> None:
        self.random = random.Random()
        self._lock = threading.Lock()
        self._moments = 0

    @property
    def clock(self) -> float:
        return _real_monotonic()

    def me(self) -> Actor | None:
        return None

    def boundary(self, what: str) -> None: ...
    def note(self, what: str) -> None: ...
    def freed(self) -> None: ...

    def sleep(self, seconds: float) -> None:
        _real_sleep(seconds)

    def moment(self) -> int:
        """See World.moment."""
        with self._lock:
            self._moments += 1
            return self._moments
