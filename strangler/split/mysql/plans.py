"""What operations of plans need of MySQL: rights on their tables, and triggers that note deletions."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.split.deletions import Followed
from strangler.split.mysql import catalog, references, wording
from strangler.split.mysql.wording import Connection, identifier, literal
from strangler.split.table import Family


def grants(user: str) -> Iterator[str]:
    """The rights of the application's user, "name@host", whose transactions the tables' rows belong to."""
    name, _, host = user.rpartition("@")
    for rights in (
        "SELECT, INSERT, DELETE ON strangler_runs",
        "SELECT, DELETE ON strangler_cleanups",
        "SELECT ON strangler_task_routes",
    ):
        yield f"GRANT {rights} TO {literal(name)}@{literal(host)}"


def unseen(connection: Connection, followed: Followed) -> Iterator[str]:
    """See Store.unseen_deletions."""
    table = catalog.describe(connection, followed.table, None)
    yield from references.cascades(connection, [table])
    if followed.key not in {column.name for column in table.key} or len(table.key) > 1:
        yield (
            f'"{followed.field}" points at column "{followed.key}" of "{followed.table}", which is not its primary '
            "key, so that nothing could keep anybody from TRUNCATE; point at the primary key"
        )


def triggers(connection: Connection, followed: Followed) -> Iterator[str]:
    """See Store.note_deletions. What is there is left: between DROP and CREATE a deletion would go unseen.

    An empty table with a foreign key forbids TRUNCATE, which fires no trigger.
    """
    [key] = catalog.describe(connection, followed.table, (followed.key,)).columns
    name, table = identifier(key.name), identifier(followed.table)
    kind, _, collation = key.type.rpartition(" ") if wording.is_text(key) else (key.type, "", "")
    yield (
        f"CREATE TABLE IF NOT EXISTS {_guard(followed)} ({name} {kind}{collation and f' COLLATE {collation}'}, "
        f"KEY ({name}), FOREIGN KEY ({name}) REFERENCES {table} ({name})) ENGINE = InnoDB "
        f"COMMENT = {literal('always empty: it forbids TRUNCATE')}"
    )
    if not _is_there(connection, followed):
        written = f"LOWER(HEX(OLD.{name}))" if key.family is Family.BYTES else f"CAST(OLD.{name} AS CHAR)"
        told = ", ".join(map(literal, (followed.service, followed.field, followed.column, followed.on_delete)))
        yield (
            f"CREATE TRIGGER {_trigger(followed)} AFTER DELETE ON {table} FOR EACH ROW "
            "INSERT INTO strangler_cleanups (service, field, key_column, on_delete, `key`) "
            f"VALUES ({told}, {written})"
        )


def no_triggers(followed: Followed) -> Iterator[str]:
    """See Store.ignore_deletions."""
    yield f"DROP TRIGGER IF EXISTS {_trigger(followed)}"
    yield f"DROP TABLE IF EXISTS {_guard(followed)}"


def _trigger(followed: Followed) -> str:
    return f"strangler_cleanup_{followed.digest}"


def _guard(followed: Followed) -> str:
    return f"{catalog.GUARD}{followed.digest}"


def _is_there(connection: Connection, followed: Followed) -> bool:
    return bool(
        catalog.query(
            connection,
            "SELECT 1 FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() AND TRIGGER_NAME = %s",
            (_trigger(followed),),
        )
    )
