"""Who writes and reads: clients, each through a proxy with a table of its own, as docs/protocol.md has them.

A refusal by the fence waits for a table with a greater term and goes to its owner then; a connection that breaks is
never tried again.

A read goes to the owner in its proxy's table, also while writes are held. So a read is never older than the moment at
which its proxy's table was overtaken by another proxy's; with one proxy it is never old at all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from strangler.split import Side
from strangler.split.errors import DatabaseUnreachable, StatementFailed
from tests.faults.bench import Bench
from tests.faults.linearizability import UNKNOWN, Operation, Verb
from tests.faults.shop import REGISTERS, SCRATCHES, STEP
from tests.faults.stores import SimulatedDatabase, SimulatedStore
from tests.faults.world import Actor, Killed

WAIT = 20.0
"""Seconds for which a client waits for an owner."""


@dataclass(kw_only=True)
class Proxy:
    """A table of routes, and a hold. A table that is not newer than the one at hand is refused."""

    name: str
    owner: Side = Side.SOURCE
    version: tuple[int, int] = (1, 0)
    held_until: float = -math.inf
    overtaken: int | None = None  # the moment at which another proxy had a newer table first
    deaths: int = 0

    def die(self) -> None:
        """And start again: the hold and the answers to all requests are gone, the table is kept."""
        self.deaths += 1
        self.held_until = -math.inf

    def take(self, owner: Side, version: tuple[int, int]) -> None:
        if version > self.version:
            self.owner, self.version, self.overtaken = owner, version, None


@dataclass(kw_only=True)
class Proxies:
    """All proxies, as the toolkit asks them: see cutover.Traffic. They are reached one after the other."""

    bench: Bench
    proxies: list[Proxy]

    def hold(self, seconds: float) -> None:
        for proxy in self.proxies:
            self.bench.point(f"hold {proxy.name}")
            proxy.held_until = self.bench.world.clock + seconds

    def release(self) -> None:
        for proxy in self.proxies:
            self.bench.point(f"release {proxy.name}")
            proxy.held_until = -math.inf

    def publish(self, owner: Side, term: int, n: int, weight: int) -> None:
        for proxy in self.proxies:
            self.bench.point(f"publish {owner} {term} to {proxy.name}")
            if (term, n) >= proxy.version:
                proxy.held_until = -math.inf
            proxy.take(owner, (term, n))
            for other in self.proxies:
                if other.version < (term, n) and other.overtaken is None:
                    other.overtaken = self.bench.world.moment()


@dataclass(kw_only=True)
class Client:
    """Writes and reads through one proxy until it is told to stop, and notes what it was told."""

    name: str
    bench: Bench
    databases: dict[Side, SimulatedDatabase]
    proxy: Proxy
    stopped: Callable[[], bool]
    journal: list[Operation]
    numbers: list[int]  # of rows, as they were given out
    mine: int
    links: dict[Side, SimulatedStore] = field(default_factory=dict)
    written: int = 0
    pause: float | None = None  # seconds between two requests, about; None: the longer it goes on the more
    waited: float = 0.0
    answered: int = 0
    refused: int = 0
    unknown: int = 0

    def __call__(self, actor: Actor | None) -> None:
        random = self.bench.world.random
        while not self.stopped():
            self._one(
                random.choices(
                    ("read", "write", "add", "delete", "two", "token", "scratch", "product"),
                    (30, 20, 15, 8, 5, 15, 6, 3),
                )[0]
            )
            if self.pause is not None:
                self.bench.world.sleep(random.uniform(0, 2 * self.pause))
                continue
            # So that an hour costs little more than a second.
            asked = self.answered + self.refused + self.unknown
            self.bench.world.sleep(random.choice((0.0, 0.02, 0.06)) * (1 + asked / 8) ** 2)
        for link in list(self.links.values()):
            link.close()

    def _one(self, what: str) -> None:
        random = self.bench.world.random
        key = random.randrange(REGISTERS)
        match what:
            case "read":
                self._read(key)
            case "write":
                self._write([self._put(key)])
            case "two":
                self._write([self._put(key), self._put((key + 1) % REGISTERS)])
            case "add":
                self._write(
                    [
                        (
                            f"register {key}",
                            Verb.ADD,
                            None,
                            f"UPDATE register SET value = value + 1 WHERE id = {key * STEP} RETURNING value",
                        )
                    ]
                )
            case "delete":
                self._write([(f"register {key}", Verb.DELETE, None, f"DELETE FROM register WHERE id = {key * STEP}")])
            case "token":
                self._write([self._token()])
            case "scratch" if self.mine == 0:
                self._scratch()
            case "product" if self.mine == 0:
                self._product()

    def _put(self, key: int, table: str = "register") -> tuple[str, Verb, int | None, str]:
        self.written += 1
        value = (self.written * 10 + self.mine) * 1_000
        number = key * STEP if table == "register" else key
        return (
            f"{table} {key}",
            Verb.WRITE,
            value,
            f"INSERT INTO {table} (id, value) VALUES ({number}, {value}) "
            "ON CONFLICT (id) DO UPDATE SET value = excluded.value",
        )

    def _token(self) -> tuple[str, Verb, int | None, str]:
        label = f"{self.name}{self.bench.world.random.randrange(2)}"
        where = f"WHERE label = '{label}'"
        match self.bench.world.random.randrange(4):
            case 0:
                return f"token {label}", Verb.DELETE, None, f"DELETE FROM token {where}"
            case 1:
                return (
                    f"token {label}",
                    Verb.CHANGE,
                    None,
                    f"UPDATE token SET id = nextval(pg_get_serial_sequence('token', 'id')) {where} RETURNING id",
                )
            case _:
                return (
                    f"token {label}",
                    Verb.INSERT,
                    UNKNOWN,
                    f"INSERT INTO token (label) VALUES ('{label}') ON CONFLICT (label) DO NOTHING RETURNING id",
                )

    def _scratch(self) -> None:
        random = self.bench.world.random
        if random.random() < 0.9:
            self._write([self._put(random.randrange(SCRATCHES), "scratch")])
        else:
            names = [f"scratch {key}" for key in range(SCRATCHES)]
            self._write([(name, Verb.DELETE, None, "TRUNCATE scratch" if name == names[0] else "") for name in names])

    def _product(self) -> None:
        """At the source, whoever owns the moved tables."""
        self.written += 1
        try:
            self._link(Side.SOURCE).execute(f"UPDATE product SET name = 'name {self.written}' WHERE id = 1")
        except (StatementFailed, DatabaseUnreachable, Killed):
            self._hang_up()

    def _read(self, key: int) -> None:
        called = self.bench.world.moment()
        if self.proxy.overtaken is not None:
            called = min(called, self.proxy.overtaken)
        deaths = self.proxy.deaths
        try:
            value = self._link(self.proxy.owner).scalar(f"SELECT value FROM register WHERE id = {key * STEP}")
        except (StatementFailed, DatabaseUnreachable, Killed):
            self._hang_up()
            return
        if self.proxy.deaths > deaths:
            return
        self._note(f"register {key}", Verb.READ, value, called, certain=True)

    def _write(self, parts: list[tuple[str, Verb, int | None, str]]) -> None:
        """The parts in one transaction, sent to an owner; and what came of it."""
        world = self.bench.world
        called, began, deaths = world.moment(), world.clock, self.proxy.deaths
        lingers = world.random.choice((None, None, None, 0.0, 0.01, 0.1, 1.0))
        while True:
            while self.proxy.held_until > world.clock:
                world.sleep(0.05)
            if self.proxy.deaths > deaths:
                self.refused += 1
                return  # the proxy had not sent it on
            found: dict[str, int | None] = {}
            sure_not = [True]
            try:
                self._send(parts, found, sure_not, lingers)
            except Killed:
                self._hang_up()
            except DatabaseUnreachable:
                self._hang_up()
                world.sleep(0.1)
            except StatementFailed as error:
                refusal = _refusal(error)
                if refusal is not None and world.clock - began < WAIT and self._await_term(refusal, began):
                    continue
                if isinstance(error.__cause__, Exception) and getattr(error.__cause__, "sqlstate", None):
                    sure_not[0] = True
                else:
                    self._hang_up()
            else:
                if self.proxy.deaths == deaths:
                    for register, verb, value, _ in parts:
                        self._answer(register, verb, value, found, called)
                    self.waited = max(self.waited, world.clock - began)
                    self.answered += 1
                    return
                sure_not[0] = False  # the answer came to nobody
            if sure_not[0]:
                self.refused += 1
                return
            self.unknown += 1
            for register, verb, value, _ in parts:
                self._note(register, verb, value, called, certain=False)
            return

    def _send(
        self,
        parts: list[tuple[str, Verb, int | None, str]],
        found: dict[str, int | None],
        sure_not: list[bool],
        lingers: float | None,
    ) -> None:
        link = self._link(self.proxy.owner)
        if (lingers is None and len(parts) == 1) or any(part[3] == "TRUNCATE scratch" for part in parts):
            sure_not[0] = False
            self._execute(link, parts, found)
            return
        with link.transaction():
            self._execute(link, parts, found)
            if lingers:
                self.bench.world.sleep(lingers)
            sure_not[0] = False

    def _execute(
        self, link: SimulatedStore, parts: list[tuple[str, Verb, int | None, str]], found: dict[str, int | None]
    ) -> None:
        for register, _, _, statement in parts:
            if "RETURNING" in statement:
                rows = link.query(statement)
                found[register] = rows[0][0] if rows else None
            elif statement:
                link.execute(statement)

    def _answer(self, register: str, verb: Verb, value: int | None, found: dict[str, int | None], called: int) -> None:
        given = found.get(register)
        if verb is Verb.INSERT and given is None:
            return  # there was a row already
        if register.startswith("token") and given is not None:
            self.numbers.append(given)
        self._note(register, verb, given if register in found else value, called, certain=True)

    def _await_term(self, term: int, began: float) -> bool:
        world = self.bench.world
        while self.proxy.version[0] <= term:
            if world.clock - began > WAIT or self.stopped():
                return False
            world.sleep(0.05)
        return True

    def _note(self, register: str, verb: Verb, value: int | None, called: int, *, certain: bool) -> None:
        answered = self.bench.world.moment() if certain else math.inf
        self.journal.append(
            Operation(who=self.name, register=register, verb=verb, value=value, called=called, answered=answered)
        )
        self.bench.world.note(f"JOURNAL {self.journal[-1]}")

    def _link(self, side: Side) -> SimulatedStore:
        if side not in self.links:
            self.links[side] = self.databases[side].connect(lock_timeout=WAIT)
        return self.links[side]

    def _hang_up(self) -> None:
        for link in self.links.values():
            link.close()
        self.links.clear()


def _refusal(error: StatementFailed) -> int | None:
    """The term in a refusal by the fence."""
    cause: Any = error.__cause__
    if getattr(cause, "sqlstate", None) != "SF001":
        return None
    return int(json.loads(cause.diag.message_detail)["term"])
