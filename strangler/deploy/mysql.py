"""A MySQL server of one's own on loopback, from the mysqld that $STRANGLER_MYSQLD names; needs the extra "mysql"."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from strangler.deploy.mariadb import MariaDBServer
from strangler.deploy.server import ADMIN, Server, ServerError, run_beside


@dataclass(frozen=True, kw_only=True)
class MySQLServer(MariaDBServer):
    """See Server."""

    product = "MySQL"
    pid_file = "mysqld.pid"

    def first_words(self, password: str) -> str:
        return "\n".join(
            (
                f"CREATE USER IF NOT EXISTS '{ADMIN}'@'127.0.0.1' IDENTIFIED BY '{password}';",
                f"GRANT ALL ON *.* TO '{ADMIN}'@'127.0.0.1' WITH GRANT OPTION;",
                "DROP USER IF EXISTS 'root'@'localhost';",
                "",
            )
        )

    def maker(self, data: Path) -> list[str]:
        options = {name: value for name, value in self.options().items() if name in _WHEN_MADE}
        return [
            *(mysql_binary(), "--no-defaults", "--initialize-insecure", f"--datadir={data}"),
            *(f"--{name}={value}" for name, value in options.items()),
        ]

    def binary(self) -> str:
        return mysql_binary()

    def options(self) -> dict[str, str]:
        found = super().options()
        del found["innodb-log-file-size"]
        return {"innodb-redo-log-capacity": "64M", "mysqlx": "OFF", "secure-file-priv": "NULL", **found}


_WHEN_MADE = ("tmpdir", "innodb-flush-method", "lower-case-table-names", "character-set-server")
"""What a server must be made with."""


def mysql_binary() -> str:
    """Where mysqld is. Raises ServerError where nobody says."""
    found = os.environ.get("STRANGLER_MYSQLD")
    if not found:
        raise ServerError("there is no MySQL; set STRANGLER_MYSQLD to a mysqld (.ci/mysqld fetches one)")
    return found


def main() -> int:
    """Run "-- COMMAND …" beside a server of its own, whose URL is in $MYSQL_URL; the command's exit status."""

    def made(data: Path, port: int) -> Server:
        return MySQLServer(data=data, port=port)

    return run_beside("strangler.deploy.mysql", "MYSQL_URL", made, "mysql")


if __name__ == "__main__":
    sys.exit(main())
