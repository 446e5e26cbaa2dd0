"""How to connect to MySQL and MariaDB: what a DSN says, and what is set for each connection."""

from __future__ import annotations

import hashlib
import hmac
import math
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

import pymysql

from strangler.split.errors import DatabaseUnreachable
from strangler.split.mysql.catalog import is_mariadb
from strangler.split.mysql.errors import sentence
from strangler.split.mysql.wording import Connection

# What changes how a value is read or written is fixed. Zero dates, impossible dates and an id of 0 are copied as they
# are. Rows come and go in the order of their tables, not of their foreign keys.
_SETTINGS = (
    "SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', "
    "foreign_key_checks = 0, sql_safe_updates = 0, net_write_timeout = 600, net_read_timeout = 600, "
    "innodb_lock_wait_timeout = {seconds}, lock_wait_timeout = {seconds}, "
)
_MARIADB_SETTINGS = "idle_transaction_timeout = 60, max_statement_time = 0"
_MYSQL_SETTINGS = "information_schema_stats_expiry = 0"
_THIS_MACHINE = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, kw_only=True)
class Login:
    """What a DSN says."""

    host: str
    port: int
    user: str
    password: str
    database: str
    ssl_ca: str | None

    @property
    def applier(self) -> str:
        """Its own name for each database, since users belong to the server."""
        return f"strangler_applier_{hashlib.sha256(self.database.lower().encode()).hexdigest()[:8]}"

    @property
    def applier_password(self) -> str:
        """Known to whoever knows the administrator's, on any host, and kept nowhere."""
        key = self.password.encode()
        return "Sf1!" + hmac.new(key, f"{self.user} {self.applier}".encode(), hashlib.sha256).hexdigest()[:32]

    def connect(self, name: str, user: str, password: str, lock_timeout: float) -> Connection:
        """A connection with all settings. Raises DatabaseUnreachable with one sentence, without the password."""
        try:
            connection = pymysql.connect(
                host=self.host,
                port=self.port,
                user=user,
                password=password,
                database=self.database,
                charset="utf8mb4",
                autocommit=True,
                connect_timeout=5,
                ssl_ca=self.ssl_ca,
                ssl_verify_cert=True if self.ssl_ca else None,
                # Here nobody listens in, and the handshake would cost more than most of what is asked.
                ssl_disabled=self.ssl_ca is None and self.host in _THIS_MACHINE,
            )
            settings = _SETTINGS.format(seconds=max(1, math.ceil(lock_timeout)))
            with connection.cursor() as cursor:
                cursor.execute(settings + (_MARIADB_SETTINGS if is_mariadb(connection) else _MYSQL_SETTINGS))
                cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        except (pymysql.Error, OSError) as error:
            raise DatabaseUnreachable(
                f'cannot connect to the {name} database "{self.database}" at {self.host}:{self.port} as '
                f'"{user}": {sentence(error)}; check that it runs and that its DSN is right'
            ) from error
        return connection


def read_login(name: str, dsn: str) -> Login:
    """What the DSN says. Raises DatabaseUnreachable with one sentence, without the password."""
    try:
        parts = urlsplit(dsn)
        port = parts.port or 3306
    except ValueError:
        parts = urlsplit("")
    database = unquote(parts.path.lstrip("/"))
    options = dict(parse_qsl(parts.query))
    unknown = sorted(options.keys() - {"ssl_ca"})
    if not parts.hostname or not parts.username or not database or "/" in database or unknown:
        raise DatabaseUnreachable(
            f"the DSN of the {name} database cannot be read; write it as "
            "mysql://user:password@host:port/database, with ?ssl_ca=FILE for TLS"
        )
    return Login(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        database=database,
        ssl_ca=options.get("ssl_ca"),
    )
