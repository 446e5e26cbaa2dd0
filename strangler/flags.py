"""Who owns a move, asked in the monolith's own database: for its branch by abstraction, and for the middleware."""

from __future__ import annotations

from django.db import connection

from strangler import tables


def moved(service: str) -> bool:
    """Whether the tables of the plan that extracts "service" are owned elsewhere.

    One small query, never cached: a page that was told a moment too early or too late meets the fence and is
    answered again. False where the toolkit has not set up anything.
    """
    # The plan 0001_reviews extracts the service "reviews".
    return any(move.split("_", 1)[-1] == service for move in _elsewhere())


def term_elsewhere(move: str) -> int | None:
    """The move's last term here, where its tables are owned elsewhere; None where they are ours, or not on a move."""
    return _elsewhere().get(move)


def _elsewhere() -> dict[str, int]:
    """The moves whose tables are owned elsewhere, and their last terms here: a row a plan, so few."""
    if not tables.exists(connection, "ownership"):
        return {}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT move, term FROM {tables.sql_name(connection, 'ownership')} WHERE NOT owns")  # noqa: S608
        return {str(move): int(term) for move, term in cursor.fetchall()}
