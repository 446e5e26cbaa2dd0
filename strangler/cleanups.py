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

TABLE = """
CREATE SCHEMA IF NOT EXISTS strangler;
CREATE TABLE IF NOT EXISTS strangler.cleanups (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service text NOT NULL,
    field text NOT NULL,
    key_column text NOT NULL,
    on_delete text NOT NULL,
    key text,  -- NULL: every row, since the whole table was emptied
    made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
CREATE OR REPLACE FUNCTION strangler.note_cleanup() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO strangler.cleanups (service, field, key_column, on_delete, key)
    VALUES (
        TG_ARGV[0], TG_ARGV[1], TG_ARGV[2], TG_ARGV[3],
        CASE WHEN TG_OP = 'DELETE' THEN pg_catalog.to_jsonb(OLD) ->> TG_ARGV[4] END
    );
    RETURN NULL;
END
$$;
"""


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
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('strangler.cleanups') IS NULL")
        if cursor.fetchone() == (True,):
            return []
        cursor.execute(
            """SELECT id, service, field, key_column, on_delete, key FROM strangler.cleanups
               WHERE service = %s ORDER BY id LIMIT %s""",
            [service, limit],
        )
        return [
            Cleanup(id=id_, service=service, field=field, column=column, on_delete=on_delete, key=key)
            for id_, service, field, column, on_delete, key in cursor.fetchall()
        ]


def settle(cleanup: Cleanup) -> None:
    """Strike a note out, after it was seen to."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM strangler.cleanups WHERE id = %s", [cleanup.id])
