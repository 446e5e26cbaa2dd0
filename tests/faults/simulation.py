"""Runs one schedule after the other in two databases, and has what is left checked."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psycopg

from strangler.split import Capture, Side, SplitError
from strangler.split.copying import copied
from strangler.split.store import Role
from tests.faults import shop
from tests.faults.attempt import Attempt
from tests.faults.checker import Findings, check
from tests.faults.monitors import Monitor
from tests.faults.schedule import Schedule
from tests.faults.servers import Servers
from tests.faults.stores import HELPERS


@dataclass(kw_only=True)
class Outcome:
    """One seed's."""

    schedule: Schedule
    findings: Findings
    trace: list[str]
    switches: int = 0
    requests: int = 0
    faults: Counter[str] = field(default_factory=Counter)  # that happened, by kind
    longest_wait: float = 0.0  # of a client's write, by the world's clock
    seconds: float = 0.0

    def __str__(self) -> str:
        wrong = "\n  ".join(self.findings.wrong) or "nothing is wrong"
        return f"{self.schedule}\n  {wrong}"


class Simulation:
    """Two servers in which one schedule after the other is run."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self.idle: dict[tuple[Side, Role], list[psycopg.Connection[Any]]] = {}
        self.monitors = {side: Monitor(dsn) for side, dsn in servers.dsns.items()}
        for monitor in self.monitors.values():
            monitor.run(HELPERS)

    def close(self) -> None:
        for monitor in self.monitors.values():
            monitor.close()
        for connection in (one for idle in self.idle.values() for one in idle):
            connection.close()

    def run(self, schedule: Schedule) -> Outcome:
        began = time.monotonic()
        attempt = Attempt(simulation=self, schedule=schedule)
        self._set_the_stage(attempt)
        start = shop.registers(self.monitors[Side.SOURCE].connection)
        attempt.run()
        self._rest(attempt)
        findings = Findings()
        if not attempt.wrong:
            connections = {side: monitor.connection for side, monitor in self.monitors.items()}
            findings = check(connections, attempt.journal, attempt.numbers, start)
        findings.wrong += attempt.wrong
        return Outcome(
            schedule=schedule,
            findings=findings,
            trace=attempt.world.trace,
            switches=attempt.switches,
            requests=sum(client.answered + client.refused + client.unknown for client in attempt.clients),
            faults=attempt.happened(),
            longest_wait=max(client.waited for client in attempt.clients),
            seconds=time.monotonic() - began,
        )

    def restart(self, side: Side) -> None:
        """As "kill -9" of all its processes does, and a start."""
        self.servers.restart(side)
        self.monitors[side].reconnect()

    def _set_the_stage(self, attempt: Attempt) -> None:
        """The same for a schedule, whatever ran before it."""
        by_log = attempt.schedule.capture is Capture.LOG
        look = f"SELECT simulated.stands({by_log})"
        stands = all(monitor.run(look) == [["t"]] for monitor in self.monitors.values())
        if not attempt.schedule.brought or not stands:
            for monitor in self.monitors.values():
                monitor.run(shop.RESET + shop.TABLES)
            self.monitors[Side.SOURCE].run(shop.FILL)
            if attempt.schedule.brought:
                attempt.bring()
        if attempt.schedule.brought:
            for side, monitor in self.monitors.items():
                monitor.run(shop.AS_BROUGHT[side])
                for statement in shop.LOG_FROM_HERE if by_log else ():
                    monitor.run(statement)

    def _rest(self, attempt: Attempt) -> None:
        """Outside the world, where no fault happens: the move comes to rest, whatever was done to it."""
        move = attempt.move
        try:
            picture = move.picture()
            if picture is None:
                return
            if not picture.done:
                move.recover(attempt.proxies)
            with move.session() as session:
                if not copied(session.target, session.move, session.layout):
                    return
                session.catch_up(60.0)
                if not picture.done and not (outcome := session.verify()).equal:
                    attempt.wrong.append(f"verification at rest: {outcome}")
        except SplitError as error:
            attempt.wrong.append(f"no rest: {error}")
