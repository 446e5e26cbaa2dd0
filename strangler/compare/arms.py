"""What is compared: the same shop, run as one process, as one of modules, and as services behind the proxy."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from strangler.compare.cores import Cores
from strangler.compare.processes import go_on, halt
from strangler.compare.wire import Address
from strangler.deploy.supervisor import Process
from strangler.errors import StranglerError
from strangler.workshop.instance import ROOT, Instance
from strangler.workshop.system import System

PLAN = "0001_reviews"
SWITCHED = "7"
"""Operations of the plan after which the service owns and serves."""
BESIDE = (
    *("aws", "relay_events", "consume_events", "consume_feedback", "payment", "worker", "visitors"),
    *("notifications", "notifications-events", "notifications-feedback", "notifications-worker"),
)
"""Parts that do nothing for a page: they are down while pages are measured, in every arm alike."""
_ONE_PROCESS = ("broker", "aws", "payment", "orchard", "worker", "relay_events", "consume_events", "consume_feedback")
_ALONE = {
    "ORCHARD_REVIEWS_MOVED": "monolith.reviews.flags.never",
    "ORCHARD_REVIEWS_IDENTITY": "monolith.reviews.flags.no_identity",
    "ORCHARD_NOTIFICATIONS_MOVED": "monolith.reviews.flags.never",
    "ORCHARD_NOTIFICATIONS_IDENTITY": "monolith.reviews.flags.no_identity",
}
_MODULES = (ROOT, ROOT / "proxy", ROOT / "extracted" / "modular", ROOT / "extracted" / "reviews")
_NEVER_TIRED = {"GUNICORN_CMD_ARGS": "--timeout=0"}
"""A worker that was halted while another arm ran is not dead, though it was silent for minutes."""


class ArmError(StranglerError):
    """There is no such arm."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One arm: what it is, in words, and how it differs from the system that "make up" starts."""

    name: str
    is_: str
    parts: tuple[str, ...] | None = None  # None: all that the system has
    front: str = "orchard"  # the part that is asked
    position: str | None = None  # how far the plan is carried out
    migration: str | None = None  # of the app reviews, beyond where the plan begins
    environment: Mapping[str, str] = field(default_factory=dict)  # of Orchard's process and its worker
    wsgi: str = "monolith.wsgi"

    @property
    def serves_apart(self) -> bool:
        """Whether the reviews are served, and owned, by the service."""
        return self.position is not None and int(self.position) >= int(SWITCHED)


MONOLITH = Kind(
    name="monolith",
    is_="Orchard as it was: one process for all routes, one database, asked without a proxy.",
    parts=_ONE_PROCESS,
    environment=_ALONE,
)
MODULAR = Kind(
    name="modular",
    is_="The modular monolith (extracted/modular): the reviews service's own code mounted in Orchard's process, "
    "foreign "
    "keys across the seam cut, one database, asked without a proxy. Orchard's pages use the gateway's local placement.",
    parts=_ONE_PROCESS,
    migration="0002_cut_foreign_keys",
    environment={
        **_ALONE,
        "DJANGO_SETTINGS_MODULE": "orchard_modular.settings",
        "PYTHONPATH": os.pathsep.join(map(str, _MODULES)),
    },
)
BEFORE = Kind(
    name="before",
    is_="The whole system before the plan: the proxy in front, everything still Orchard's.",
    front="proxy",
)
SERVICES = Kind(
    name="services",
    is_=f"The system with {PLAN} switched: the proxy in front, reviews in a service with a database of its own, "
    f"followed "
    "back into Orchard's, so that it can be reversed.",
    front="proxy",
    position=SWITCHED,
)
KINDS = {kind.name: kind for kind in (MONOLITH, MODULAR, BEFORE, SERVICES)}
"""The arms with names; others are steps of the plan, as "0001_reviews@6"."""
NULL = (
    MONOLITH,
    replace(MONOLITH, name="again", is_="The monolith once more: whatever is found between the two is an error."),
    replace(
        MONOLITH,
        name="delayed",
        is_="The monolith with 10 ms more on the light route: that must be found, and there alone.",
        environment={**_ALONE, "COMPARE_DELAY": "/api/reviews/=10"},
        wsgi="strangler.compare.delayed:application",
    ),
)
"""Arms of which is known beforehand where they differ."""


def kind_of(name: str) -> Kind:
    """The arm of that name, or the system at that step of the plan. Raises ArmError."""
    plan, _, position = name.partition("@")
    if plan == PLAN and position.isdecimal() and int(position) <= int(SWITCHED):
        words = f"The system with {position} of the operations of {PLAN} carried out, the proxy in front."
        return Kind(name=name, is_=words, front="proxy", position=position)
    known = {kind.name: kind for kind in (*KINDS.values(), *NULL)}
    if name not in known:
        steps = f"the system at a step of the plan, {PLAN}@0 to {PLAN}@{SWITCHED}"
        raise ArmError(f'there is no arm "{name}"; there are {", ".join(KINDS)}, and {steps}')
    return known[name]


class Arm(System):
    """One arm, set up below "home"; System knows how its databases are made and its processes kept."""

    def __init__(self, kind: Kind, home: Path, cores: Cores, size: str) -> None:
        super().__init__(Instance(home=home / kind.name, aws=True), lambda _: None, size=size)
        self.kind = kind
        self._cores = cores

    def processes(self) -> Iterator[Process]:
        for process in super().processes():
            if self.kind.parts is None or process.name in self.kind.parts:
                yield self._as_it_runs_here(process)

    def set_up(self) -> None:
        """Make its databases and carry the plan out as far as this arm has it, on all cores; then all of it is down."""
        self.instance.prepare(None)
        self._databases()
        if self.kind.migration is not None:
            self.manage("migrate", "reviews", self.kind.migration, "--verbosity", "0")
        if self.kind.position is not None:
            self.up(None)
            self.manage("applyplan", PLAN, self.kind.position if self.kind.position != "0" else "zero")
        self.down()

    def begin(self, *, beside: bool = False) -> float:
        """Start databases and processes, all of which are down; seconds until it serves."""
        began = time.perf_counter()
        with self._cores.of_arms(self.kind.name):
            for name in self.databases():
                self.instance.database(name).start()
            processes = [process for process in self.processes() if beside or process.name not in BESIDE]
            for process in processes:
                self.supervisor.start(process)
            for process in processes:
                self.supervisor.wait(process)
        return time.perf_counter() - began

    def has(self, part: str) -> bool:
        return any(process.name == part for process in self.processes())

    def kill(self, part: str) -> None:
        """End a part as a crash would."""
        if part.endswith("-database"):
            self.instance.database(part.removesuffix("-database")).kill()
        else:
            self.supervisor.kill(part)

    def revive(self, part: str) -> None:
        """Start a part that is down, and wait until it serves."""
        with self._cores.of_arms(self.kind.name):
            if part.endswith("-database"):
                self.instance.database(part.removesuffix("-database")).start()
            else:
                self.supervisor.start(self.process(part))
                self.supervisor.wait(self.process(part))

    def anew(self, parts: Sequence[str]) -> float:
        """Stop and start these at once, as a release does; seconds until all of them serve."""
        began = time.perf_counter()
        for part in parts:
            self.supervisor.stop(part)
        for part in parts:
            self.revive(part)
        return time.perf_counter() - began

    def databases(self) -> list[str]:
        """The names of the servers that this arm has."""
        everyone = self._all_databases()
        return everyone if self.kind.parts is None else everyone[:1]

    def unused_databases(self) -> list[str]:
        return [name for name in self._all_databases() if name not in self.databases()]

    def roots(self, parts: tuple[str, ...] = ()) -> list[int]:
        """The processes that the arm's parts begin with, with databases; of these parts alone, if any are named."""
        names = parts or (*self.supervisor.names(), *(f"{name}-database" for name in self.databases()))
        return [pid for name in names if (pid := self._root(name)) is not None]

    def rest(self) -> None:
        """Halt it, so that others have the cores."""
        halt(self.roots())

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Let it run for as long as the context is open."""
        go_on(self.roots())
        try:
            yield
        finally:
            self.rest()

    def end(self) -> None:
        """Stop all of it, as far as it ever began."""
        with suppress(FileNotFoundError):  # no ports were chosen yet
            go_on(self.roots())
        self.down()

    @property
    def address(self) -> Address:
        return "127.0.0.1", self.instance.ports[self.kind.front]

    @property
    def url(self) -> str:
        return self.instance.url(self.kind.front)

    def _all_databases(self) -> list[str]:
        return [part.removesuffix("-database") for part in self.instance.ports if part.endswith("-database")]

    def _root(self, part: str) -> int | None:
        if not part.endswith("-database"):
            return self.supervisor.pid(part)
        note = self.instance.database(part.removesuffix("-database")).data / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError):
            return int(note.read_text(encoding="ascii").splitlines()[0])
        return None

    def _as_it_runs_here(self, process: Process) -> Process:
        environment = {**process.environment, **_NEVER_TIRED}
        if process.name not in {"orchard", "worker"}:
            return replace(process, environment=environment)
        command = [self.kind.wsgi if word == "monolith.wsgi" else word for word in process.command]
        return replace(process, command=command, environment={**environment, **self.kind.environment})
