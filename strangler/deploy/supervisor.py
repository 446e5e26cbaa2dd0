"""Processes started together and stopped together, also by somebody else, and after the starter has died."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from strangler.errors import StranglerError

_READY_SECONDS = 60.0
_SETTLED_SECONDS = 0.5
_STOP_SECONDS = 10.0


class ProcessError(StranglerError):
    """A process did not start or did not become ready."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """One program: what to run, and how to see that it serves."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    ready_url: str | None = None  # asked until it answers with less than 500; None: running on is enough
    ready_headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Supervisor:
    """Keeps for each process a log and a note of who it is below "home", so that any later process can stop it."""

    home: Path

    def start(self, process: Process) -> int:
        """Start a process in a group of its own; its number. One that runs already is left alone."""
        running = self.pid(process.name)
        if running is not None:
            return running
        self.home.mkdir(parents=True, exist_ok=True)
        with self.log(process.name).open("ab") as log:
            started = subprocess.Popen(
                list(process.command),
                env={**os.environ, **process.environment},
                cwd=process.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        note = {"pid": started.pid, "started": _started(started.pid)}
        self._note(process.name).write_text(json.dumps(note), encoding="ascii")
        return started.pid

    def wait(self, process: Process, seconds: float = _READY_SECONDS) -> None:
        """Wait until the process serves. Raises ProcessError with the end of its log."""
        deadline = time.monotonic() + seconds
        while True:
            if self.pid(process.name) is None:
                raise ProcessError(f"{process.name} ended while it was starting: {self._tail(process.name)}")
            if self._serves(process):
                return
            if time.monotonic() > deadline:
                raise ProcessError(f"{process.name} is not ready after {seconds:g} s: {self._tail(process.name)}")
            time.sleep(0.05)

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """End a process and all that it started. Does nothing where it does not run."""
        pid = self.pid(name)
        if pid is not None:
            _signal_group(pid, number)
            deadline = time.monotonic() + _STOP_SECONDS
            while _started(pid) is not None and time.monotonic() < deadline:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
                time.sleep(0.02)
            _signal_group(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
        self._note(name).unlink(missing_ok=True)

    def kill(self, name: str) -> None:
        """End a process and all that it started at once, as a crash would."""
        self.stop(name, signal.SIGKILL)

    def names(self) -> list[str]:
        """The processes that are noted, in the order in which they were started."""
        return [note.stem for note in sorted(self.home.glob("*.pid"), key=lambda note: note.stat().st_mtime_ns)]

    def pid(self, name: str) -> int | None:
        """The number of a process that runs; None where it does not, or where its number belongs to another one."""
        try:
            note = json.loads(self._note(name).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None
        started = _started(note["pid"])
        return note["pid"] if started is not None and started == note["started"] else None

    def log(self, name: str) -> Path:
        return self.home / f"{name}.log"

    def _serves(self, process: Process) -> bool:
        if process.ready_url is not None:
            return _answers(process.ready_url, process.ready_headers)
        # Every program runs for an instant, also one that ends at once.
        return time.time() - self._note(process.name).stat().st_mtime > _SETTLED_SECONDS

    def _note(self, name: str) -> Path:
        return self.home / f"{name}.pid"

    def _tail(self, name: str) -> str:
        lines = self.log(name).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f'{" | ".join(lines[-3:]) or "it said nothing"}; see "{self.log(name)}"'


def _started(pid: int) -> str | None:
    """When the process began, in the kernel's own words; None for one that is gone or only waits to be reaped."""
    ps = Path(f"/proc/{pid}/stat")
    if Path("/proc/self").exists():
        try:
            fields = ps.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] == "Z" else fields[19]
    asked = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or None


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, number)


def _answers(url: str, headers: Mapping[str, str]) -> bool:
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=2):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
