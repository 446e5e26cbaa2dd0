"""What the owners of moved rows owe since rows here were deleted: read it, see to it, settle it.

    for cleanup in cleanups.owed("reviews"):
        service.forget(**{cleanup.column: cleanup.key})
        cleanups.settle(cleanup)

A note is written by the database in the transaction of the deletion, whatever made it: the ORM, the admin, plain SQL.
It may speak of rows that are gone already, and comes again until it is settled, so seeing to it twice must do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from strangler import tables


@dataclass(frozen=True, kw_only=True)
class Cleanup:
    """One deletion that somebody else still has to follow."""

    id: int
    service: str
    field: str
    """Of the model, "app.Model.field": the model whose rows are meant."""
    column: str
    """The column of these rows that holds the key."""
    on_delete: str
    """What is to be done with them: "cascade", "set_null" or "set_default"."""
    key: str | None
    """The key that is gone, as text; None: all of them, since the table was emptied."""

    def __str__(self) -> str:
        what = "all rows" if self.key is None else f"rows where {self.column} is {self.key}"
        return f"{self.service} owes {self.on_delete} on {self.field}: {what}"


def owed(service: str, limit: int = 100) -> list[Cleanup]:
    """The oldest notes for a service. This is a read-only operation."""
    if not tables.exists(connection, "cleanups"):
        return []
    columns = ", ".join(map(connection.ops.quote_name, ("id", "service", "field", "key_column", "on_delete", "key")))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM {tables.sql_name(connection, 'cleanups')} "  # noqa: S608
            "WHERE service = %s ORDER BY id LIMIT %s",
            [service, limit],
        )
        return [
            Cleanup(id=id_, service=service, field=field, column=column, on_delete=on_delete, key=key)
            for id_, service, field, column, on_delete, key in cursor.fetchall()
        ]


def settle(cleanup: Cleanup) -> None:
    """Strike a note out, after it was seen to."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {tables.sql_name(connection, 'cleanups')} WHERE id = %s", [cleanup.id])  # noqa: S608
