"""A MariaDB server of one's own on loopback, from any installation of mariadbd; needs the extra "mysql"."""

from __future__ import annotations

import secrets
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pymysql

from strangler.deploy.server import ADMIN, Server, ServerError, run_beside
from strangler.deploy.unprivileged import give_away


@dataclass(frozen=True, kw_only=True)
class MariaDBServer(Server):
    """See Server."""

    product = "MariaDB"
    scheme = "mysql"
    pid_file = "mariadb.pid"
    polite = signal.SIGTERM
    hard = signal.SIGKILL

    def dsn(self, database: str = "mysql", user: str = ADMIN, password: str | None = None) -> str:
        return super().dsn(database, user, password)

    def prepare(self) -> None:
        self._scratch.mkdir(mode=0o700, exist_ok=True)
        give_away(self._scratch)
        if (self.data / "mysql").exists():
            return
        word = secrets.token_urlsafe(24)
        self.keep("password", word)
        self.keep("sql", self.first_words(word))
        self.make(self.maker)

    def first_words(self, password: str) -> str:
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

    def maker(self, data: Path) -> list[str]:
        """What makes a data directory. Raises ServerError where there is nothing that could."""
        maker = shutil.which("mariadb-install-db")
        if maker is None:
            raise ServerError("there is no mariadb-install-db; install the package mariadb-server")
        return [
            *(maker, "--no-defaults", f"--datadir={data}", f"--tmpdir={self._scratch.resolve()}"),
            *("--skip-test-db", "--skip-name-resolve", "--auth-root-authentication-method=normal"),
            "--debug-no-sync",
        ]

    def binary(self) -> str:
        """Where the server is. Raises ServerError where there is none."""
        return server_binary()

    def command(self) -> list[str]:
        options = (
            f"--{name}={value}" if value or name == "socket" else f"--{name}" for name, value in self.options().items()
        )
        return [self.binary(), "--no-defaults", self.data_argument(), *options]

    def options(self) -> dict[str, str]:
        """What the server is started with."""
        return {
            # Its own: at its start a server deletes what looks like left over there from another one.
            "tmpdir": str(self._scratch.resolve()),
            "pid-file": str(self.data.resolve() / self.pid_file),
            "init-file": str(self._beside("sql").resolve()),
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

    def data_argument(self) -> str:
        return f"--datadir={self.data.resolve()}"

    def answers(self) -> bool:
        try:
            pymysql.connect(
                host="127.0.0.1",
                port=self.port,
                user=ADMIN,
                password=self.password,
                connect_timeout=2,
                ssl_disabled=True,
            ).close()
        except (pymysql.Error, OSError):
            return False
        return True

    @property
    def _scratch(self) -> Path:
        return self._beside("tmp")


def server_binary() -> str:
    """Where mariadbd is. Raises ServerError where there is none."""
    found = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise ServerError("there is no MariaDB; install the package mariadb-server")
    return found


def main() -> int:
    """Run "-- COMMAND …" beside a server of its own, whose URL is in $MARIADB_URL; the command's exit status."""

    def made(data: Path, port: int) -> Server:
        return MariaDBServer(data=data, port=port, settings={"debug-no-sync": ""})

    return run_beside("strangler.deploy.mariadb", "MARIADB_URL", made, "mysql")


if __name__ == "__main__":
    sys.exit(main())
