"""A small world with one clock, in which actors take turns: the same seed gives the same turns.

An actor is a thread that runs only when it is its turn, from one boundary to another; a boundary stands before every
statement that it sends to a database, and what is behind its last one concerns nobody else. The databases are real
ones. An actor whose statement waits for a lock gives its turn away until the lock is free, or until its lock timeout
has passed by the world's clock. Sleeping costs nothing: when nobody can run, the clock goes to the next moment at which
somebody can. Only whom a database wakes first, of several who wait for one lock, is not the seed's.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from strangler.split import Side

_GIVE_AWAY = 0.4
"""How likely a turn ends at a boundary."""
_LOOK = 0.003
"""Real seconds after which it is asked whether a statement that has not returned waits for a lock."""
_STUCK = 60.0
"""Real seconds without any progress after which the world gives up."""
_real_sleep, _real_monotonic = time.sleep, time.monotonic


class Killed(BaseException):
    """The process is dead: nothing of it runs any more, its connections are closed."""


class Stuck(Exception):
    """The world does not go on; a fault of the suite or an endless loop in what it tests."""


@dataclass(eq=False)
class Actor:
    """Somebody who takes turns. "body" runs in a thread of its own."""

    name: str
    body: Callable[[Actor], None]
    stores: list[Any] = field(default_factory=list)  # its open connections: see stores.SimulatedStore
    wake: float = 0.0  # by the world's clock
    deadline: float | None = None  # of the lock that it waits for
    timed_out: bool = False
    done: bool = False
    error: BaseException | None = None
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


class World:
    """The actors, the clock and the trace. "look" is called whenever all stand still."""

    def __init__(self, seed: int, monitors: Mapping[Side, psycopg.Connection[Any]], look: Callable[[], None]) -> None:
        self.random = random.Random(seed)
        self.clock = 0.0
        self.steps = 0
        self._moments = 0
        self._freed = False  # a lock, since it was last asked who still waits
        self.trace: list[str] = []
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
        self.trace.append(f"{self.steps:5} {self.clock:8.3f} {actor.name:10} {what}")
        self.clock += 0.001
        # Where somebody waits for a lock, what was done may have freed it: they must not run beside this one.
        if self._blocked or self.random.random() < _GIVE_AWAY:
            self._give_turn_away(actor)

    def freed(self) -> None:
        """A transaction has ended: somebody who waits for a lock may have it now."""
        self._freed = True

    def returned(self, actor: Actor) -> None:
        """A statement has returned: one that had to wait goes on when it is its turn again."""
        if actor in self._blocked:
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

    def note(self, what: str) -> None:
        """Write into the trace what happens outside the databases."""
        actor = self.me()
        self.trace.append(f"{self.steps:5} {self.clock:8.3f} {actor.name if actor else '-':10} {what}")

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
        while any(not actor.done for actor in self._actors):
            self._release_blocked()
            ready = [
                actor
                for actor in self._actors
                if not actor.done and actor not in self._blocked and actor.wake <= self.clock
            ]
            if ready:
                self._let(self.random.choice(ready))
            else:
                self._pass_time()
        for actor in self._actors:
            if actor.error is not None:
                raise actor.error

    def _let(self, actor: Actor) -> None:
        self.steps += 1
        actor.turn.release()
        self._await(actor)
        self._look()

    def _await(self, actor: Actor) -> None:
        """Until the actor stands at a boundary, or waits for a lock."""
        given_up = _real_monotonic() + _STUCK
        look = _LOOK
        while not actor.arrived.acquire(timeout=look):
            look *= 2
            if (patience := self._waits(actor)) is not None:
                actor.deadline = self.clock + patience
                self._blocked.append(actor)
                self.trace.append(f"{self.steps:5} {self.clock:8.3f} {actor.name:10} waits for a lock")
                return
            if _real_monotonic() > given_up:
                raise Stuck(f"{actor.name} does not come back; the last steps were\n" + "\n".join(self.trace[-20:]))

    def _release_blocked(self) -> None:
        """Those whose lock is free stand at their next boundary when this returns."""
        if not self._freed:
            return
        self._freed = False
        for actor in list(self._blocked):
            while not actor.arrived.acquire(blocking=False):
                if self._waits(actor) is not None:
                    break
                _real_sleep(_LOOK / 16)
            else:
                self._blocked.remove(actor)
                self._freed = True
                self._look()

    def _pass_time(self) -> None:
        """Nobody can run now: go to the next moment at which somebody wakes, or has waited long enough for a lock."""
        sleepers = [actor.wake for actor in self._actors if not actor.done and actor not in self._blocked]
        deadlines = [(actor.deadline or 0.0, actor) for actor in self._blocked]
        first = min(deadlines, key=lambda one: one[0], default=None)
        if first is not None and (not sleepers or first[0] <= min(sleepers)):
            self.clock = max(self.clock, first[0])
            self._time_out(first[1])
        else:
            self.clock = max(self.clock, min(sleepers))

    def _time_out(self, actor: Actor) -> None:
        """Its lock timeout has passed: as the server would, end the statement."""
        actor.timed_out = True
        self.trace.append(f"{self.steps:5} {self.clock:8.3f} {actor.name:10} its lock timeout has passed")
        given_up = _real_monotonic() + _STUCK
        while not actor.arrived.acquire(timeout=_LOOK):
            for side, monitor in self._monitors.items():
                monitor.execute(
                    "SELECT pg_cancel_backend(p) FROM unnest(%s::int[]) p WHERE cardinality(pg_blocking_pids(p)) > 0",
                    (self._pids(actor, side),),
                )
            if _real_monotonic() > given_up:
                raise Stuck(f"{actor.name} still waits for its lock")
        self._blocked.remove(actor)
        self._freed = True

    def _waits(self, actor: Actor) -> float | None:
        """The lock timeout of its connection that waits for a lock, None where none does."""
        for side, monitor in self._monitors.items():
            if pids := self._pids(actor, side):
                query = "SELECT p FROM unnest(%s::int[]) p WHERE cardinality(pg_blocking_pids(p)) > 0"
                waiting = {row[0] for row in monitor.execute(query, (pids,))}
                if waiting:
                    return min(store.lock_timeout for store in actor.stores if store.pid in waiting)
        return None

    def _pids(self, actor: Actor, side: Side) -> list[int]:
        return [store.pid for store in actor.stores if store.side is side]

    def _give_turn_away(self, actor: Actor) -> None:
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
