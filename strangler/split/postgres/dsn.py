"""What is wrong with a DSN, in one sentence that never holds its password."""

from __future__ import annotations

import re

import psycopg

from strangler.split.errors import DatabaseUnreachable
from strangler.split.postgres.catalog import Connection, scalar

_POOLED = (
    "the DSN of the {} database leads to a pooler, where sessions change hands; give the address of the server itself"
)


def refuse_unreadable(name: str, dsn: str) -> None:
    """A password that is not escaped must not be taken for a part of the address, and be told with that."""
    try:
        where = psycopg.conninfo.conninfo_to_dict(dsn)
        read = "@" not in str(where.get("host", "")) and re.fullmatch("[0-9,]*", str(where.get("port", "")))
    except psycopg.ProgrammingError:
        read = None
    if not read:
        raise DatabaseUnreachable(
            f"the DSN of the {name} database cannot be read; write it as postgresql://user:password@host:port/database,"
            " with %40 for an @ in the password, and so on"
        )


def refuse_pooler(name: str, connection: Connection) -> None:
    """Whoever lends out sessions gives each client a number of its own; roles, locks and settings would be lost."""
    if scalar(connection, "SELECT pg_backend_pid()") != connection.info.backend_pid:
        connection.close()
        raise DatabaseUnreachable(_POOLED.format(name))


def why(name: str, dsn: str, error: psycopg.OperationalError) -> str:
    where = psycopg.conninfo.conninfo_to_dict(dsn)
    text = str(error).strip()
    # A line for each host and attempt; the lines between only advise.
    reasons = dict.fromkeys(re.findall(r"^.*failed: (?:FATAL:\s+)?(.+)$", text, re.MULTILINE))
    why = ", ".join(reasons) or text.partition("\n")[0] or type(error).__name__
    if "unsupported startup parameter" in why:
        return _POOLED.format(name)
    return (
        f'cannot connect to the {name} database "{where.get("dbname", "")}" at '
        f'{where.get("host", "")}:{where.get("port", 5432)} as "{where.get("user", "")}": '
        f"{why}; check that it runs and that its DSN is right"
    )
