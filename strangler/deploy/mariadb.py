"""A MariaDB server of one's own on loopback, from any installation of mariadbd; needs the extra "mysql"."""

from __future__ import annotations

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

import pymysql

from strangler.deploy.ports import free_port, is_free
from strangler.deploy.unprivileged import alive, demotion, give_away, send, unprivileged
from strangler.errors import StranglerError

ADMIN = "strangler"
_START_SECONDS = 60.0


class MariaDBError(StranglerError):
    """A server could not be made, started or stopped."""


@dataclass(frozen=True, kw_only=True)
class MariaDBServer:
    """One server with its own data directory; listens on 127.0.0.1 only and asks everybody for a password."""

    data: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Make the server on first use, start it and wait until it answers. Does nothing where it runs already.

        Raises MariaDBError with one sentence; the log is beside the data directory.
        """
        if self.running():
            return
        if not is_free(self.port):
            raise MariaDBError(f"port {self.port} is in use, so MariaDB cannot start; choose another one")
        self._scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        give_away(self._scratch)
        if not (self.data / "mysql").exists():
            self._initialise()
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [*unprivileged(), server_binary(), "--no-defaults", *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **demotion(),
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise MariaDBError(f"MariaDB did not start on port {self.port}: {self._last_words()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End all connections and stop the server. Does nothing where it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server as a power cut would; the next start recovers from its log."""
        self._end(signal.SIGKILL)

    def running(self) -> bool:
        return self._pid() is not None and self._answers()

    def dsn(self, database: str = "mysql", user: str = ADMIN, password: str | None = None) -> str:
        """The URL of one of its databases; without a password, the administrator's."""
        word = password if password is not None else self._password_file.read_text(encoding="ascii")
        return f"mysql://{user}:{word}@127.0.0.1:{self.port}/{database}"

    @property
    def _log(self) -> Path:
        return self.data.with_name(self.data.name + ".log")

    @property
    def _password_file(self) -> Path:
        return self.data.with_name(self.data.name + ".password")

    @property
    def _scratch(self) -> Path:
        return self.data.with_name(self.data.name + ".tmp")

    @property
    def _first_words(self) -> Path:
        return self.data.with_name(self.data.name + ".sql")

    def _initialise(self) -> None:
        maker = shutil.which("mariadb-install-db")
        if maker is None:
            raise MariaDBError("there is no mariadb-install-db; install the package mariadb-server")
        word = secrets.token_urlsafe(24)
        for path, text in ((self._password_file, word), (self._first_words, _first_words(word))):
            path.touch(mode=0o600)
            path.write_text(text, encoding="ascii")
            give_away(path)
        half_made = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(half_made, ignore_errors=True)
        half_made.mkdir(mode=0o700)
        give_away(half_made)
        made = subprocess.run(
            [
                *unprivileged(),
                *(
                    maker,
                    "--no-defaults",
                    f"--datadir={half_made.resolve()}",
                    f"--tmpdir={self._scratch.resolve()}",
                    "--skip-test-db",
                    "--skip-name-resolve",
                ),
                *("--auth-root-authentication-method=normal", "--debug-no-sync"),
            ],
            capture_output=True,
            text=True,
            check=False,
            **demotion(),
        )
        if made.returncode:
            last = ((made.stderr + made.stdout).strip().splitlines() or ["no message"])[-1]
            raise MariaDBError(f'mariadb-install-db could not make a server in "{self.data}": {last}')
        half_made.rename(self.data)

    def _options(self) -> list[str]:
        data = self.data.resolve()
        settings = {
            "datadir": str(data),
            # Its own: at its start a server deletes what looks like left over there from another one.
            "tmpdir": str(self._scratch.resolve()),
            "pid-file": str(data / "mariadb.pid"),
            "init-file": str(self._first_words.resolve()),
            "port": str(self.port),
            "bind-address": "127.0.0.1",
            "socket": "",
            "skip-name-resolve": "ON",
            "character-set-server": "utf8mb4",
            "innodb-buffer-pool-size": "64M",
            "innodb-log-file-size": "64M",
            "max-connections": "200",
            **self.settings,
        }
        return [f"--{name}={value}" if value or name == "socket" else f"--{name}" for name, value in settings.items()]

    def _answers(self) -> bool:
        try:
            pymysql.connect(
                host="127.0.0.1",
                port=self.port,
                user=ADMIN,
                password=self._password_file.read_text(encoding="ascii"),
                connect_timeout=2,
                ssl_disabled=True,
            ).close()
        except (pymysql.Error, OSError):
            return False
        return True

    def _end(self, number: signal.Signals) -> None:
        pid = self._pid()
        if pid is None:
            return
        send(pid, number)
        deadline = time.monotonic() + _START_SECONDS
        # Its first thread may be gone while others still hold the port.
        while alive(pid) or not is_free(self.port):
            if time.monotonic() > deadline:
                send(pid, signal.SIGKILL)
                raise MariaDBError(f"MariaDB (process {pid}) did not stop in time and was ended hard")
            time.sleep(0.02)

    def _pid(self) -> int | None:
        try:
            pid = int((self.data / "mariadb.pid").read_text(encoding="ascii"))
            # A number that was given to another process since, be it another MariaDB, is not ours to touch.
            if Path("/proc/self").exists():
                command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if os.fsencode(f"--datadir={self.data.resolve()}") not in command:
                    return None
        except (OSError, ValueError):
            return None
        return pid if alive(pid) else None

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f'{lines[-1] if lines else "no message"}; see "{self._log}"'


def server_binary() -> str:
    """Where mariadbd is. Raises MariaDBError where there is none."""
    found = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise MariaDBError("there is no MariaDB; install the package mariadb-server")
    return found


def _first_words(password: str) -> str:
    """What the server runs whenever it starts: one administrator, and nobody without a password."""
    return "\n".join(
        (
            f"CREATE USER IF NOT EXISTS '{ADMIN}'@'127.0.0.1' IDENTIFIED BY '{password}';",
            f"GRANT ALL ON *.* TO '{ADMIN}'@'127.0.0.1' WITH GRANT OPTION;",
            "DELETE FROM mysql.global_priv WHERE User IN ('', 'root');",
            "FLUSH PRIVILEGES;",
            "",
        )
    )


def main() -> int:
    """Run "-- COMMAND …" beside a server of its own, whose URL is in $MARIADB_URL; the command's exit status."""
    command = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    if not command:
        sys.stderr.write("usage: python -m strangler.deploy.mariadb -- COMMAND …\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="mariadb-") as home:
        server = MariaDBServer(data=Path(home) / "data", port=free_port(), settings={"debug-no-sync": ""})
        try:
            server.start()
            return subprocess.run(command, env={**os.environ, "MARIADB_URL": server.dsn()}, check=False).returncode
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
