"""Feature flags that follow the ownership of a move, for a monolith that branches by abstraction."""

from __future__ import annotations

from django.db import connection


def moved(service: str) -> bool:
    """Whether the tables of the plan that extracts "service" are owned elsewhere, as the monolith's database knows it.

    One small query, never cached: a page that was told a moment too early or too late meets the fence and is
    answered again. False where the toolkit has not set up anything.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('strangler.ownership') IS NOT NULL")
        if cursor.fetchone() != (True,):
            return False
        cursor.execute(
            "SELECT NOT owns FROM strangler.ownership WHERE substr(move, strpos(move, '_') + 1) = %s", [service]
        )
        row = cursor.fetchone()
    return row is not None and bool(row[0])
