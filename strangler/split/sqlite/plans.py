"""What operations of plans need of SQLite: a trigger that notes deletions."""

from __future__ import annotations

from strangler.split.deletions import Followed
from strangler.split.sqlite.wording import literal, quoted


def trigger(followed: Followed) -> str:
    """See Store.note_deletions. Foreign keys' own deletions fire it too; a REPLACE's do not."""
    key = f"OLD.{quoted(followed.key)}"
    written = f"CASE typeof({key}) WHEN 'blob' THEN lower(hex({key})) ELSE CAST({key} AS TEXT) END"
    told = ", ".join(map(literal, (followed.service, followed.field, followed.column, followed.on_delete)))
    return (
        f"CREATE TRIGGER IF NOT EXISTS {_name(followed)} AFTER DELETE ON {quoted(followed.table)} BEGIN "
        "INSERT INTO strangler_cleanups (service, field, key_column, on_delete, key) "
        f"VALUES ({told}, {written}); END"
    )


def no_trigger(followed: Followed) -> str:
    """See Store.ignore_deletions."""
    return f"DROP TRIGGER IF EXISTS {_name(followed)}"


def _name(followed: Followed) -> str:
    # Not with the prefix of the captures' triggers: those belong to a table's shape, at which a stream stops.
    return f"cleanup_strangler_{followed.digest}"
