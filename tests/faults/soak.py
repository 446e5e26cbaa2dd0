"""Switch and reverse, again and again, in real time: "python -m tests.faults.soak MINUTES".

Executors are processes that are killed, stopped and woken at any moment; connections are cut; a server is ended as by a
power cut and recovers; the daemon follows and brings to rest what was left. After each round all stands still, and
what the clients were told is held against the databases.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

import psycopg

from strangler.split import Move, Side, SplitError, TwoOwners
from strangler.split.daemon import run as follow
from tests.faults import shop
from tests.faults.attempt import LIMITS
from tests.faults.bench import Bench
from tests.faults.checker import Findings, check
from tests.faults.clients import Client, Proxies, Proxy
from tests.faults.linearizability import Operation
from tests.faults.servers import Servers
from tests.faults.stores import SimulatedDatabase
from tests.faults.world import RealTime

ROUND = 12.0
"""Seconds between two checks."""
_CLIENTS = 4


@dataclass(kw_only=True)
class Counts:
    """What a soak has seen."""

    requests: int = 0
    acknowledged: int = 0
    unknown: int = 0
    faults: int = 0
    switches: int = 0
    longest: float = 0.0
    two_owners: int = 0
    rounds: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = {
            kind: sum(any(word in line for word in words) for line in self.wrong)
            for kind, words in {
                "lost": ("lost:", "lost update", "sides differ", "no rest"),
                "duplicated": ("twice",),
                "resurrected": ("resurrected",),
                "stale": ("stale",),
            }.items()
        }
        return (
            f"rounds {self.rounds}, faults {self.faults}, switches {self.switches}\n"
            f"requests {self.requests:,}, acknowledged {self.acknowledged:,}, of unknown outcome {self.unknown}\n"
            + ", ".join(f"{kind} {number}" for kind, number in kinds.items())
            + f", two owners {self.two_owners}\nlongest wait of a write {self.longest * 1000:.0f} ms"
        )


class Nobody:
    """No proxies: _publish() tells them who owns."""

    def hold(self, seconds: float) -> None: ...
    def release(self) -> None: ...
    def publish(self, owner: Side, term: int, n: int, weight: int) -> None: ...


def executor(dsns: dict[Side, str], to: Side, fatal: str) -> None:
    """A process of its own: switches, and dies before the step "fatal"."""

    def announce(step: object, facts: object) -> None:
        if str(step) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    move = Move(shop.spec(), *(dsns[side] for side in Side))
    with suppress(SplitError):
        picture = move.picture()
        if picture is not None and picture.owner is None:
            move.recover(Nobody(), announce)
        move.switch(to, Nobody(), announce, LIMITS)


def soak(minutes: float, seed: int) -> Counts:
    """Rounds until the time is over, or something is wrong."""
    counts = Counts()
    chance = random.Random(seed)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.faults.attempt"])
    with ExitStack() as stack:
        servers = Servers(stack)
        connections = {side: psycopg.connect(dsn, autocommit=True) for side, dsn in servers.dsns.items()}
        for side, connection in connections.items():
            connection.execute(shop.RESET + shop.TABLES)  # type: ignore[arg-type]
            if side is Side.SOURCE:
                connection.execute(shop.FILL)  # type: ignore[arg-type]
        move = Move(shop.spec(), *(servers.dsns[side] for side in Side))
        move.create()
        move.copy(lambda progress: None)
        move.verify()
        deadline = time.monotonic() + minutes * 60
        while time.monotonic() < deadline and not counts.wrong:
            _Round(servers=servers, move=move, chance=chance, counts=counts, processes=processes).run()
            sys.stdout.write(f"{time.strftime('%H:%M:%S')} {counts.rounds} rounds, {counts.switches} switches\n")
            sys.stdout.flush()
        for connection in connections.values():
            connection.close()
    return counts


@dataclass(kw_only=True)
class _Round:
    servers: Servers
    move: Move
    chance: random.Random
    counts: Counts
    processes: multiprocessing.context.ForkServerContext
    journal: list[Operation] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        world = RealTime()
        bench = Bench(world, {})
        picture = self.move.picture()
        assert picture is not None and picture.owner is not None
        self.term = picture.term
        proxy = Proxy(name="proxy", owner=picture.owner, version=(picture.term, 0))
        proxies = Proxies(bench=bench, proxies=[proxy])
        start = self._registers(picture.owner)
        clients = [
            Client(
                name=f"client{n}",
                bench=bench,
                databases={
                    side: SimulatedDatabase(name=side.value, dsn=dsn, bench=bench, side=side)
                    for side, dsn in self.servers.dsns.items()
                },
                proxy=proxy,
                stopped=self.over.is_set,
                journal=self.journal,
                numbers=self.numbers,
                mine=n,
                written=self.counts.requests + 1,
                pause=0.01,
            )
            for n in range(_CLIENTS)
        ]
        threads = [threading.Thread(target=client, args=(None,)) for client in clients]
        threads += [
            threading.Thread(target=follow, args=(lambda: [self.move], lambda move: proxies, self.over)),
            threading.Thread(target=self._publish, args=(proxies,)),
        ]
        for thread in threads:
            thread.start()
        try:
            self._trouble()
        finally:
            self.over.set()
            for thread in threads:
                thread.join(timeout=60)
        self._check(start, clients)

    def _trouble(self) -> None:
        """One executor after the other, and faults meanwhile."""
        until = time.monotonic() + ROUND
        to = self.chance.choice(list(Side))
        while time.monotonic() < until:
            fatal = self.chance.choice(("", "", "gates", "fence", "catch_up", "verify", "commit", "publish", "done"))
            process = self.processes.Process(target=executor, args=(self.servers.dsns, to, fatal))
            process.start()
            process.join(self.chance.uniform(0.05, 1.0))
            what = self.chance.choice(("nothing", "kill", "stop", "cut", "cut", "hold", "power"))
            if fatal or what != "nothing":
                self.counts.faults += 1
            self._fault(what, process)
            process.join(20)
            if process.is_alive():
                process.kill()
            to = to.other

    def _fault(self, what: str, process: multiprocessing.process.BaseProcess) -> None:
        side = self.chance.choice(list(Side))
        match what:
            case "kill":
                process.kill()
            case "stop" if process.is_alive() and process.pid is not None:
                os.kill(process.pid, signal.SIGSTOP)
                # Longer than the daemon waits before it recovers, or shorter; then the sleeper wakes.
                time.sleep(self.chance.choice((0.3, 4.5)))
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGCONT)
            case "cut":
                with self._connect(side) as admin:
                    admin.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE application_name = 'django-strangler' AND random() < 0.5"
                    )
            case "hold":
                with self._connect(side) as admin, admin.transaction(force_rollback=True):
                    admin.execute("LOCK TABLE token IN ROW EXCLUSIVE MODE")
                    time.sleep(self.chance.uniform(0.1, 1.0))
            case "power":
                self.servers.kill(side)
                time.sleep(self.chance.uniform(0.0, 0.5))
                self.servers.of[side].start()

    def _publish(self, proxies: Proxies) -> None:
        """As the daemon does for proxies that missed a table: the executors here have none."""
        while not self.over.is_set():
            try:
                picture = self.move.picture()
            except TwoOwners:
                self.counts.two_owners += 1
            except SplitError:
                pass  # a server is away
            else:
                if picture is not None and picture.owner is not None:
                    proxies.publish(picture.owner, picture.term, 0, 0)
            time.sleep(0.02)

    def _check(self, start: dict[str, int | None], clients: list[Client]) -> None:
        counts = self.counts
        picture = self.move.recover(Nobody())
        self.move.catch_up()
        verified = self.move.verify()
        connections = {side: self._connect(side) for side in Side}
        findings: Findings = check(connections, self.journal, self.numbers, start)
        for connection in connections.values():
            connection.close()
        counts.rounds += 1
        counts.requests += sum(client.answered + client.refused + client.unknown for client in clients)
        counts.acknowledged += findings.acknowledged
        counts.unknown += findings.unknown
        counts.switches += max(picture.term - self.term, 0)
        counts.longest = max(counts.longest, *(client.waited for client in clients))
        counts.wrong += findings.wrong if verified.equal else [*findings.wrong, f"sides differ: {verified}"]

    def _registers(self, owner: Side) -> dict[str, int | None]:
        with self._connect(owner) as connection:
            return shop.registers(connection)

    def _connect(self, side: Side) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.servers.dsns[side], autocommit=True)


def main() -> int:
    logging.disable(logging.CRITICAL)
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    counts = soak(minutes, seed)
    for line in counts.wrong:
        sys.stdout.write(line + "\n")
    sys.stdout.write(f"{counts}\n")
    return bool(counts.wrong or counts.two_owners)


if __name__ == "__main__":
    sys.exit(main())
