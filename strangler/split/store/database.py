"""Where the databases of a move are, and how to connect to them."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from strangler.split.errors import DatabaseUnreachable

if TYPE_CHECKING:
    from strangler.split.store import Store


class Role(enum.Enum):
    """What a connection is for."""

    ADMINISTRATOR = "administrator"
    SWITCH = "switch"  # an administrator who does not wait long for a lock
    PLAIN = "plain"  # an administrator to whom the database is as it is to an application
    APPLIER = "applier"  # passes the fences; its changes are not captured back


@dataclass(frozen=True, kw_only=True)
class Database:
    """Where to connect, and what to call it in an error."""

    name: str  # "source" or "target"
    dsn: str

    def connect(self, role: Role = Role.ADMINISTRATOR, *, lock_timeout: float = 5.0) -> Store:
        """A connection that commits every statement unless in a transaction; the bound is in seconds.

        Raises DatabaseUnreachable with one sentence that never holds the password.
        """
        from strangler.split.postgres import PostgresStore  # noqa: PLC0415 - engines know this module
        from strangler.split.sqlite import SqliteStore  # noqa: PLC0415

        # Without a scheme it is "key=value ...", of which nothing may be told.
        found = re.match(r"([A-Za-z0-9+]+)://", self.dsn)
        scheme = found[1] if found else "postgresql"
        if scheme in ("postgresql", "postgres"):
            return PostgresStore.connect(self.name, self.dsn, role, lock_timeout)
        if scheme in ("mysql", "mariadb"):
            try:
                from strangler.split.mysql import MySQLStore  # noqa: PLC0415 - an extra
            except ModuleNotFoundError as error:
                raise DatabaseUnreachable(
                    f'the {self.name} database needs "{error.name}"; pip install "django-strangler[mysql]"'
                ) from error
            return MySQLStore.connect(self.name, self.dsn, role, lock_timeout)
        if scheme == "sqlite":
            return SqliteStore.connect(self.name, self.dsn, role, lock_timeout)
        raise DatabaseUnreachable(
            f'the DSN of the {self.name} database begins with "{scheme}"; write it as '
            "postgresql://user:password@host:port/database, mysql://... or sqlite:///absolute/path"
        )
