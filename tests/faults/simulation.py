"""Runs a schedule in the world, brings it to rest, and has it checked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from strangler.split import Limits, Move, Side, SplitError
from strangler.split.store import Role
from tests.faults import shop
from tests.faults.checker import Findings, check
from tests.faults.linearizability import Operation
from tests.faults.schedule import Schedule
from tests.faults.stores import Bench, SimulatedDatabase
from tests.faults.world import Actor, Killed, World

_ATTEMPTS = 4
_ORPHANED = 3.0
LIMITS = Limits(lock=0.5, fence_attempts=3, fence_pause=0.05)


@dataclass(kw_only=True)
class Outcome:
    """One seed's."""

    schedule: Schedule
    findings: Findings
    trace: list[str]
    switches: int = 0
    faults: int = 0
    longest_wait: float = 0.0  # of a client's write, by the world's clock
    seconds: float = 0.0
    requests: int = 0

    def __str__(self) -> str:
        wrong = "\n  ".join(self.findings.wrong) or "nothing is wrong"
        return f"{self.schedule}\n  {wrong}"


class Nobody:
    """No proxies."""

    def hold(self, seconds: float) -> None: ...
    def release(self) -> None: ...
    def publish(self, owner: Side, term: int, n: int, weight: int) -> None: ...


@dataclass(kw_only=True)
class Simulation:
    """Two databases in which one seed after the other is run."""

    dsns: dict[Side, str]
    connections: dict[Side, psycopg.Connection[Any]] = field(default_factory=dict)
    idle: dict[tuple[Side, Role], list[psycopg.Connection[Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for side, dsn in self.dsns.items():
            self.connections[side] = psycopg.connect(dsn, autocommit=True)

    def close(self) -> None:
        for connection in [*self.connections.values(), *(one for idle in self.idle.values() for one in idle)]:
            connection.close()

    def run(self, schedule: Schedule) -> Outcome:
        began = time.monotonic()
        attempt = _Attempt(simulation=self, schedule=schedule)
        if not (schedule.brought and self._back_to_brought()):
            for side in Side:
                self.connections[side].execute(shop.RESET + shop.TABLES)  # type: ignore[arg-type]
            self.connections[Side.SOURCE].execute(shop.FILL)  # type: ignore[arg-type]
            if schedule.brought:
                attempt.bring()
        start = shop.registers(self.connections[Side.SOURCE])
        attempt.run()
        findings = Findings()
        if not attempt.wrong:
            findings = check(self.connections, attempt.journal, attempt.numbers, start)
        findings.wrong += attempt.wrong
        return Outcome(
            schedule=schedule,
            findings=findings,
            trace=attempt.world.trace,
            switches=attempt.switches,
            faults=sum(fault.happened for faults in schedule.faults.values() for fault in faults),
            longest_wait=max(client.waited for client in attempt.clients),
            requests=sum(client.answered + client.refused + client.unknown for client in attempt.clients),
            seconds=time.monotonic() - began,
        )

    def _back_to_brought(self) -> bool:
        """Whether the last seed left a move that could be set back."""
        standing = "SELECT to_regclass('strangler.claims') IS NOT NULL"
        claims = "SELECT count(*) >= 3 AND NOT (SELECT done FROM strangler.ownership) FROM strangler.claims"
        for question in (standing, claims):
            if not all(connection.execute(question).fetchone()[0] for connection in self.connections.values()):  # type: ignore[arg-type, index]
                return False
        for side in Side:
            self.connections[side].execute(shop.BACK_TO_BROUGHT[side])  # type: ignore[arg-type]
        return bool(
            self.connections[Side.TARGET].execute("SELECT min(rows) > 0 FROM strangler.verifications").fetchone()[0]
        )  # type: ignore[index]


@dataclass(kw_only=True)
class _Attempt:
    simulation: Simulation
    schedule: Schedule
    journal: list[Operation] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    switches: int = 0
    over: bool = False

    def __post_init__(self) -> None:
        schedule, connections = self.schedule, self.simulation.connections
        self.world = World(schedule.seed, connections, self._look)
        self.bench = Bench(self.world, self.simulation.idle)
        self.bench.faults = schedule.faults
        self.bench.rescue = self._rescue
        self.databases = {
            side: SimulatedDatabase(name=side.value, dsn=dsn, bench=self.bench, side=side)
            for side, dsn in self.simulation.dsns.items()
        }
        self.move = Move(shop.spec(schedule.log_limit), *(self.simulation.dsns[side] for side in Side))
        self.move.source, self.move.target = self.databases[Side.SOURCE], self.databases[Side.TARGET]
        proxies = [shop.Proxy(name=f"proxy{n}") for n in range(schedule.proxies)]
        self.proxies = shop.Proxies(bench=self.bench, proxies=proxies)
        self.clients = [
            shop.Client(
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
            world.add(f"applier{n}", self._apply)
        world.add("watcher", self._watch)
        for n, (at, what) in enumerate(self.schedule.rivals):
            world.add(f"rival{n}", lambda actor, what=what: self._as_process(lambda: self._do(what)), after=at)
        for at, side, by in self.schedule.jumps:
            world.add("clock", lambda actor, side=side, by=by: self._jump(side, by), after=at)
        with world.clocked():
            world.run()
        self._rest()

    def _rescue(self, verbs: str) -> None:
        def act(actor: Actor) -> None:
            for verb in verbs.split(", "):
                self._as_process(lambda verb=verb: self._do(verb))

        self.world.add("rescuer", act)

    def _operate(self, actor: Actor) -> None:
        try:
            for verb in self.schedule.verbs:
                for _ in range(_ATTEMPTS):
                    if self._as_process(lambda verb=verb: self._do(verb)):
                        break
                    self.world.sleep(0.1)
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

    def _apply(self, actor: Actor) -> None:
        """What the daemon does, without its threads."""

        def follow() -> None:
            beat_at = 0.0
            with self.move.session() as session:
                while not self.over and session.current():
                    if self.world.clock >= beat_at:
                        session.send_heartbeats()
                        beat_at = self.world.clock + 1.0
                    if not session.apply_once():
                        self.world.sleep(self.world.random.choice((0.02, 0.4, 0.8)))

        while not self.over:
            self._as_process(follow)
            self.world.sleep(0.1)

    def _watch(self, actor: Actor) -> None:
        """Recovers a move that nobody has owned for too long."""
        since: list[float] = []

        def look() -> None:
            picture = self.move.picture()
            if picture is None or picture.owner is not None:
                since.clear()
            elif not since:
                since.append(self.world.clock)
            elif self.world.clock - since[0] > _ORPHANED:
                self.move.recover(self.proxies, self._announce)

        while not self.over:
            self._as_process(look)
            self.world.sleep(0.7)

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

    def _look(self) -> None:
        """Nobody moves: both rows are of one moment."""
        recent = self.world.trace[-1] if self.world.trace else ""
        if "set_owner" not in recent and "late" not in recent and self.world.steps % 25:
            return
        owners = 0
        for connection in self.simulation.connections.values():
            if connection.execute("SELECT to_regclass('strangler.ownership')").fetchone() != (None,):
                owners += len(connection.execute("SELECT FROM strangler.ownership WHERE owns").fetchall())
        if owners > 1:
            self.wrong.append(f"two owners at step {self.world.steps}")

    def _rest(self) -> None:
        """Outside the world, where no fault happens: the move comes to rest, whatever was done to it."""
        try:
            picture = self.move.picture()
            if picture is None:
                return
            if not picture.done:
                picture = self.move.recover(Nobody())
            if self.move.status().copied:
                self.move.catch_up()
                if not picture.done and not (outcome := self.move.verify()).equal:
                    self.wrong.append(f"verification at rest: {outcome}")
        except SplitError as error:
            self.wrong.append(f"no rest: {error}")
