"""The toolkit's own tables over Django's connections: a schema of their own in PostgreSQL, a prefix elsewhere."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

_EXISTS = {
    "postgresql": "SELECT to_regclass(%s) IS NOT NULL",
    "mysql": "SELECT count(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s",
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = %s",
}


def sql_name(connection: BaseDatabaseWrapper, table: str) -> str:
    """What one of the tables is called in this database's SQL."""
    return f"strangler.{table}" if connection.vendor == "postgresql" else f"strangler_{table}"


def exists(connection: BaseDatabaseWrapper, table: str) -> bool:
    """Whether one of the tables is there; never in a database that no engine of ours is for. Read-only."""
    return is_there(connection, sql_name(connection, table))


def is_there(connection: BaseDatabaseWrapper, name: str) -> bool:
    """Whether there is a table of that name, as the database's SQL has it. Read-only."""
    statement = _EXISTS.get(connection.vendor)
    if statement is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(statement, [name])
        return bool(cursor.fetchone()[0])
