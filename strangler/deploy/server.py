"""A database server of one's own on loopback: made on first use, started, stopped, killed, whatever it is called."""

from __future__ import annotations

import abc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from strangler.deploy.ports import free_port, is_free
from strangler.deploy.unprivileged import alive, demotion, give_away, send, unprivileged
from strangler.errors import StranglerError

ADMIN = "strangler"
_START_SECONDS = 60.0


class ServerError(StranglerError):
    """A server could not be made, started or stopped."""


@dataclass(frozen=True, kw_only=True)
class Server(abc.ABC):
    """One server with its own data directory; listens on 127.0.0.1 only and asks everybody for a password."""

    product: ClassVar[str]
    scheme: ClassVar[str]  # of its DSNs
    pid_file: ClassVar[str]  # in the data directory; its first line is the process' number
    polite: ClassVar[signal.Signals]  # ends connections, loses nothing
    hard: ClassVar[signal.Signals]  # as a power cut

    data: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Make the server on first use, start it and wait until it answers. Does nothing where it runs already.

        Raises ServerError with one sentence; the log is beside the data directory.
        """
        if self.running():
            return
        if not is_free(self.port):
            raise ServerError(f"port {self.port} is in use, so {self.product} cannot start; choose another one")
        self.data.parent.mkdir(parents=True, exist_ok=True)
        self.prepare()
        with self._beside("log").open("ab") as log:
            process = subprocess.Popen(
                [*unprivileged(), *self.command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **demotion(),
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerError(f"{self.product} did not start on port {self.port}: {self._last_words()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End all connections and stop the server. Does nothing where it does not run."""
        self._end(self.polite)

    def kill(self) -> None:
        """End the server as a power cut would; the next start recovers from its log."""
        self._end(self.hard)

    def running(self) -> bool:
        return self._pid() is not None and self.answers()

    def dsn(self, database: str, user: str = ADMIN, password: str | None = None) -> str:
        """The URL of one of its databases; without a password, the administrator's."""
        return (
            f"{self.scheme}://{user}:{self.password if password is None else password}@127.0.0.1:{self.port}/{database}"
        )

    @property
    def password(self) -> str:
        """The administrator's."""
        return self._beside("password").read_text(encoding="ascii")

    @abc.abstractmethod
    def prepare(self) -> None:
        """Make what the server needs on the disk, where it is not there."""

    @abc.abstractmethod
    def command(self) -> list[str]:
        """What runs the server in the foreground."""

    @abc.abstractmethod
    def data_argument(self) -> str:
        """The argument of that command that no other server has."""

    @abc.abstractmethod
    def answers(self) -> bool:
        """Whether the administrator can log in."""

    def make(self, maker: Callable[[Path], list[str]]) -> None:
        """Let a command make the data directory, under another name until it is whole."""
        half_made = self._beside("new")
        shutil.rmtree(half_made, ignore_errors=True)
        half_made.mkdir(mode=0o700)
        give_away(half_made)
        command = maker(half_made.resolve())
        made = subprocess.run([*unprivileged(), *command], capture_output=True, text=True, check=False, **demotion())
        if made.returncode:
            last = ((made.stderr + made.stdout).strip().splitlines() or ["no message"])[-1]
            raise ServerError(f'{Path(command[0]).name} could not make a server in "{self.data}": {last}')
        half_made.rename(self.data)

    def keep(self, kind: str, text: str) -> Path:
        """A file beside the data directory that only the server and we can read."""
        path = self._beside(kind)
        path.touch(mode=0o600)
        path.write_text(text, encoding="ascii")
        give_away(path)
        return path

    def _beside(self, kind: str) -> Path:
        return self.data.with_name(f"{self.data.name}.{kind}")

    def _end(self, number: signal.Signals) -> None:
        pid = self._pid()
        if pid is None:
            return
        send(pid, number)
        deadline = time.monotonic() + _START_SECONDS
        # Its first thread may be gone while others still hold the port.
        while alive(pid) or not is_free(self.port):
            if time.monotonic() > deadline:
                send(pid, self.hard)
                raise ServerError(f"{self.product} (process {pid}) did not stop in time and was ended hard")
            time.sleep(0.02)

    def _pid(self) -> int | None:
        try:
            pid = int((self.data / self.pid_file).read_text(encoding="ascii").splitlines()[0])
            # A number that was given to another process since, be it such a server too, is not ours to touch.
            if Path("/proc/self").exists():
                arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if os.fsencode(self.data_argument()) not in arguments:
                    return None
        except (OSError, ValueError, IndexError):
            return None
        return pid if alive(pid) else None

    def _last_words(self) -> str:
        log = self._beside("log")
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f'{lines[-1] if lines else "no message"}; see "{log}"'


def run_beside(module: str, variable: str, made: Callable[[Path, int], Server], database: str) -> int:
    """Run "-- COMMAND …" of the command line beside a server, whose URL is in the variable; the command's status."""
    command = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    if not command:
        sys.stderr.write(f"usage: python -m {module} -- COMMAND …\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="strangler-") as home:
        server = made(Path(home) / "data", free_port())
        try:
            server.start()
            return subprocess.run(command, env={**os.environ, variable: server.dsn(database)}, check=False).returncode
        finally:
            server.stop()
