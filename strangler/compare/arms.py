"""One arm as it runs: set up, started, halted while another one runs, asked, broken, ended."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from strangler.compare.cores import Cores
from strangler.compare.kinds import BESIDE, Kind
from strangler.compare.processes import go_on, halt
from strangler.compare.wire import Address
from strangler.deploy.supervisor import Process
from strangler.workshop.instance import Instance
from strangler.workshop.system import System

_NEVER_TIRED = {"GUNICORN_CMD_ARGS": "--timeout=0"}
"""A worker that was halted while another arm ran is not dead, though it was silent for minutes."""


class Arm(System):
    """One arm, set up below "home"; System knows how its databases are made and its processes kept."""

    def __init__(self, kind: Kind, home: Path, cores: Cores, size: str) -> None:
        super().__init__(Instance(home=home / kind.name, aws=True), lambda _: None, size=size)
        self.kind = kind
        self._cores = cores

    def processes(self) -> Iterator[Process]:
        for process in super().processes():
            if process.name in self.kind.parts:
                yield self._as_it_runs_here(process)

    def choose_ports(self, taken: set[int]) -> None:
        """Choose free ports that are not among those taken, and add them there: nobody listens on others' yet."""
        while True:
            self.instance.prepare(None)
            if taken.isdisjoint(self.instance.ports.values()):
                taken.update(self.instance.ports.values())
                return
            shutil.rmtree(self.instance.home)
            self.instance = Instance(home=self.instance.home, aws=True)

    def set_up(self) -> None:
        """With ports chosen, make its databases and carry the plan out as far as this arm has it, on all cores.

        All of it is down then.
        """
        self._databases()
        if self.kind.migration is not None:
            self.manage("migrate", "reviews", self.kind.migration, "--verbosity", "0")
        if self.kind.plans:
            self.up(None)
        for plan, position in self.kind.plans:
            self.manage("applyplan", plan, "zero" if position == "0" else position)
        self.down()

    def begin(self, beside: Collection[str] = ()) -> float:
        """Start what is down of databases and processes, of those in BESIDE only these; seconds until all serve.

        Those beside are not held to the arms' cores: nothing is timed when they run.
        """
        began = time.perf_counter()
        with self._cores.of_arms(self.kind.name, pinned=not beside):
            for name in self.kind.databases:
                self.instance.database(name).start()
            processes = [
                process for process in self.processes() if process.name in beside or process.name not in BESIDE
            ]
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

    def roots(self, parts: tuple[str, ...] = ()) -> list[int]:
        """The processes that the arm's parts begin with, with databases; of these parts alone, if any are named."""
        names = parts or (*self.supervisor.names(), *(f"{name}-database" for name in self.kind.databases))
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
