"""Who owns a move, asked in the monolith's own database: for its branch by abstraction, and for the middleware."""

from __future__ import annotations

from django.db import connection

_SERVICE = "substr(move, strpos(move, '_') + 1)"  # the plan 0001_reviews extracts the service "reviews"


def moved(service: str) -> bool:
    """Whether the tables of the plan that extracts "service" are owned elsewhere.

    One small query, never cached: a page that was told a moment too early or too late meets the fence and is
    answered again. False where the toolkit has not set up anything.
    """
    return _term_elsewhere(_SERVICE, service) is not None


def term_elsewhere(move: str) -> int | None:
    """The move's last term here, where its tables are owned elsewhere; None where they are ours, or not on a move."""
    return _term_elsewhere("move", move)


def _term_elsewhere(column: str, value: str) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('strangler.ownership') IS NOT NULL")
        if cursor.fetchone() != (True,):
            return None
        cursor.execute(f"SELECT term FROM strangler.ownership WHERE {column} = %s AND NOT owns", [value])  # noqa: S608
        row = cursor.fetchone()
    return None if row is None else int(row[0])
