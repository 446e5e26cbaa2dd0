"""What operations of plans need of PostgreSQL: rights on their tables, and triggers that note deletions."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from strangler.split.deletions import Followed


def grants(user: str) -> Iterator[sql.Composed]:
    """The rights of the application's user, whose transactions the tables' rows belong to."""
    for rights in ("SELECT, INSERT, DELETE ON strangler.runs", "SELECT, DELETE ON strangler.cleanups"):
        yield sql.SQL("GRANT {} TO {}").format(sql.SQL(rights), sql.Identifier(user))


def triggers(followed: Followed) -> Iterator[sql.Composed]:
    """See Store.note_deletions."""
    told = (followed.service, followed.field, followed.column, followed.on_delete, followed.key)
    arguments = sql.SQL(", ").join(map(sql.Literal, told))
    row, table_wide, table = _names(followed)
    yield sql.SQL(
        "CREATE OR REPLACE TRIGGER {} AFTER DELETE ON {} FOR EACH ROW EXECUTE FUNCTION strangler.note_cleanup({})"
    ).format(row, table, arguments)
    yield sql.SQL(
        "CREATE OR REPLACE TRIGGER {} AFTER TRUNCATE ON {} FOR EACH STATEMENT "
        "EXECUTE FUNCTION strangler.note_cleanup({})"
    ).format(table_wide, table, arguments)


def no_triggers(followed: Followed) -> Iterator[sql.Composed]:
    """See Store.ignore_deletions."""
    *names, table = _names(followed)
    for name in names:
        yield sql.SQL("DROP TRIGGER IF EXISTS {} ON {}").format(name, table)


def _names(followed: Followed) -> tuple[sql.Identifier, sql.Identifier, sql.Identifier]:
    name = f"strangler_cleanup_{followed.digest}"
    return sql.Identifier(name), sql.Identifier(f"{name}_truncate"), sql.Identifier(followed.table)
