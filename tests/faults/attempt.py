"""One schedule, as it is played: who takes part, and what they do."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from strangler.split import Capture, Limits, Move, Side, SplitError, daemon
from tests.faults import shop
from tests.faults.bench import Bench
from tests.faults.clients import Client, Proxies, Proxy
from tests.faults.linearizability import Operation
from tests.faults.schedule import Schedule
from tests.faults.stores import SimulatedDatabase
from tests.faults.world import Actor, Killed, World

if TYPE_CHECKING:
    from tests.faults.simulation import Simulation

LIMITS = Limits(lock=0.5, fence_attempts=3, fence_pause=0.05)
_PAUSES = (0.1, 0.1, 0.5, 2.0, 2.0)
"""Seconds after an attempt of the operator that has failed."""
_LOOK_EVERY = 25
"""Turns between two looks for two owners, where nothing has happened that could make them."""


@dataclass(kw_only=True)
class Attempt:
    """The world of one schedule, and what came of it."""

    simulation: Simulation
    schedule: Schedule
    journal: list[Operation] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    switches: int = 0
    over: bool = False
    seen: int = 0  # lines of the trace

    def __post_init__(self) -> None:
        schedule = self.schedule
        self.world = World(schedule.seed, self.simulation.monitors, self._look)
        self.bench = Bench(self.world, self.simulation.idle)
        self.bench.faults = schedule.faults
        self.bench.rescue = self._rescue
        self.bench.restart = self._restart
        # How far the server has written its log by itself would be another place each time.
        self.bench.flush = lambda side: self.simulation.monitors[side].commit()
        dsns = self.simulation.servers.dsns
        self.databases = {
            side: SimulatedDatabase(
                name=side.value, dsn=dsn, bench=self.bench, side=side, by_log=schedule.capture is Capture.LOG
            )
            for side, dsn in dsns.items()
        }
        self.move = Move(shop.spec(schedule.capture), *(dsns[side] for side in Side))
        self.move.source, self.move.target = self.databases[Side.SOURCE], self.databases[Side.TARGET]
        proxies = [Proxy(name=f"proxy{n}") for n in range(schedule.proxies)]
        self.proxies = Proxies(bench=self.bench, proxies=proxies)
        self.clients = [
            Client(
                name=f"client{n}",
                bench=self.bench,
                databases=self.databases,
                proxy=proxies[n % len(proxies)],
                stopped=lambda: self.over,
                journal=self.journal,
                numbers=self.numbers,
                mine=n,
            )
            for n in range(schedule.clients)
        ]

    def bring(self) -> None:
        """Create, copy and compare, without any fault."""
        self.move.create()
        self.move.copy(lambda progress: None)
        self.move.verify()

    def run(self) -> None:
        world = self.world
        world.add("operator", self._operate)
        for client in self.clients:
            world.add(client.name, client)
        for n in range(self.schedule.appliers):
            world.add(f"applier{n}", self._follow)
        for n, (at, what) in enumerate(self.schedule.rivals):
            world.add(f"rival{n}", lambda actor, what=what: self._as_process(lambda: self._do(what)), after=at)
        for at, side, by in self.schedule.jumps:
            world.add("clock", lambda actor, side=side, by=by: self._jump(side, by), after=at)
        for at, n in self.schedule.dying_proxies:
            world.add("proxies", lambda actor, n=n: self._end_proxy(n), after=at)
        with world.clocked():
            world.run()

    def happened(self) -> Counter[str]:
        """The faults that there were, by kind."""
        drawn = [fault.kind.value for faults in self.schedule.faults.values() for fault in faults if fault.happened]
        others = {"clock jump": len(self.schedule.jumps), "proxy dies": len(self.schedule.dying_proxies)}
        return Counter(drawn) + Counter(others)

    def _restart(self, side: Side) -> None:
        with self.world.undisturbed:
            # In a thread that is no actor's: its clock is the real one.
            outside = threading.Thread(target=self.simulation.restart, args=(side,))
            outside.start()
            outside.join()

    def _rescue(self, verbs: str) -> None:
        def act(actor: Actor) -> None:
            for verb in verbs.split(", "):
                self._as_process(lambda verb=verb: self._do(verb))

        self.world.add("rescuer", act)

    def _operate(self, actor: Actor) -> None:
        try:
            for verb in self.schedule.verbs:
                for pause in _PAUSES:
                    if self._as_process(lambda verb=verb: self._do(verb)):
                        break
                    self.world.sleep(pause)
            self.world.sleep(0.3)
        finally:
            self.over = True

    def _do(self, verb: str) -> None:
        """As the plan's executor does it: recover first where nobody owns, verify again where that is missing."""
        self.world.note(f"VERB {verb}")
        what, _, to = verb.partition(" ")
        match what:
            case "switch":
                self._switch(Side(to))
            case "recover":
                self.move.recover(self.proxies, self._announce)
            case "complete":
                self._switch(Side.TARGET)
                self.move.complete(self.proxies, self._announce)
            case "cancel":
                self._cancel()
            case "copy":
                self.move.copy(lambda progress: None)
            case "verify":
                if not self.move.status().copied:
                    raise SplitError("there is nothing to compare before the copy is complete")
                outcome = self.move.verify()
                if not outcome.equal:
                    self.wrong.append(f"verification found differences: {outcome}")
            case _:
                self.move.create()

    def _switch(self, to: Side) -> None:
        picture = self.move.picture()
        if picture is None:
            raise SplitError("there is nothing to switch")
        if picture.owner is None:
            picture = self.move.recover(self.proxies, self._announce)
        if picture.owner is to:
            self.proxies.publish(to, picture.term, 0, 0)
            return
        try:
            self.move.switch(to, self.proxies, self._announce, LIMITS)
        except SplitError as error:
            if "verify again" in str(error) or "verify first" in str(error):
                self._do("verify")
            raise
        self.switches += 1

    def _cancel(self) -> None:
        picture = self.move.picture()
        if picture is not None:
            self._switch(Side.SOURCE)
        self.move.cancel()

    def _follow(self, actor: Actor) -> None:
        """The daemon's own loop; whoever dies is started again."""
        while not self.over:
            self._as_process(lambda: daemon.follow(self.move, lambda move: self.proxies, _Until(self)))
            self.world.sleep(0.1)

    def _as_process(self, what: Callable[[], None]) -> bool:
        """Whether it was done; a process that dies leaves nothing but what is in the databases."""
        try:
            what()
        except Killed:
            self.world.note("DEAD")
        except SplitError as error:
            self.world.note(f"{type(error).__name__}: {error}")
        else:
            return True
        actor = self.world.me()
        for store in list(actor.stores if actor else ()):
            store.close()
        return False

    def _announce(self, step: object, facts: object) -> None:
        self.bench.point(f"step {step}")

    def _jump(self, side: Side, by: float) -> None:
        self.world.note(f"FAULT the clock of the {side} jumps by {by:.0f} s")
        self.bench.clock_jumps[side] += by

    def _end_proxy(self, n: int) -> None:
        self.world.note(f"FAULT {self.proxies.proxies[n].name} dies and starts again")
        self.proxies.proxies[n].die()

    def _look(self) -> None:
        """Nobody moves: both rows are of one moment."""
        # The last line of the look before is of a statement that had not been sent then.
        recent = self.world.trace[max(self.seen - 1, 0) :]
        self.seen = len(self.world.trace)
        if self.world.steps % _LOOK_EVERY and not any("set_owner" in line or "late" in line for line in recent):
            return
        if (
            sum(int(monitor.run("SELECT simulated.owners()")[0][0]) for monitor in self.simulation.monitors.values())
            > 1
        ):
            self.wrong.append(f"two owners at step {self.world.steps}")


class _Until:
    """Stands for the daemon's event: looks at an idle log are the dearest that a seed does, so they are few."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._looks = 0

    def is_set(self) -> bool:
        return self._attempt.over

    def wait(self, timeout: float) -> bool:
        world = self._attempt.world
        self._looks += 1
        world.sleep(max(timeout, world.random.choice((0.02, 0.4, 0.8)) * (1 + self._looks / 10)))
        return self.is_set()
