"""What one request changes in a move's tables, collected for the proxy, which compares it with a rehearsal elsewhere.

Nothing of the request is changed by it: the rows are read right before each of its commits, within a savepoint.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, connection

_ROWS = 50
_LONGEST = 16_000
_READS = ("SELECT", "SAVEPOINT", "ROLLBACK", "RELEASE", "SET", "SHOW")


@dataclass(kw_only=True)
class Collected:
    """What a request has changed so far."""

    stands: dict[str, Any]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By table and key, as they were at the last commit."""
    unsaid: bool = False

    def header(self) -> str:
        """As strangler_proxy.effects reads it."""
        told = {"before": self.stands["arrived"], "waits": self.stands["waits"]}
        text = json.dumps({**told, "rows": list(self.rows.values()), "unsaid": self.unsaid})
        if len(text) > _LONGEST or len(self.rows) > _ROWS:
            return json.dumps({**told, "rows": [], "unsaid": True})
        return text


@contextmanager
def collecting(move: str) -> Iterator[Collected | None]:
    """Collect what is changed within; None where nobody asks, or this database cannot tell, as without such a move."""
    stands = _stands(move) if move else None
    if stands is None:
        yield None
        return
    collected = Collected(stands=stands)
    commit = connection.commit

    def commit_told() -> None:
        _collect(move, collected)
        commit()

    # Django has no hook before a commit. An attribute of this one connection goes before its class's method.
    connection.commit = commit_told  # type: ignore[method-assign]
    try:
        with connection.execute_wrapper(_note_writes_outside(collected)):
            yield collected
    finally:
        del connection.commit


def _stands(move: str) -> dict[str, Any] | None:
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regprocedure('strangler.stands(text)') IS NOT NULL")
        if cursor.fetchone() != (True,):
            return None
        cursor.execute("SELECT strangler.stands(%s)", [move])
        stands: dict[str, Any] | None = _read(cursor.fetchone())
        return stands


def _collect(move: str, collected: Collected) -> None:
    try:
        # As a savepoint's own block: the connection says that it is in none once it is about to commit.
        with connection.cursor() as cursor:
            cursor.execute("SAVEPOINT strangler_effects")
            try:
                cursor.execute("SELECT strangler.effects(%s, %s, %s)", [move, collected.stands["seq"], _ROWS])
                rows = _read(cursor.fetchone()) or []
            except DatabaseError:
                cursor.execute("ROLLBACK TO SAVEPOINT strangler_effects")
                raise
            cursor.execute("RELEASE SAVEPOINT strangler_effects")
    except DatabaseError:
        collected.unsaid = True
        return
    for row in rows:
        collected.rows[json.dumps([row["table"], row["key"]])] = row


def _note_writes_outside(collected: Collected) -> Callable[..., Any]:
    """A write outside of any transaction is committed, and may have gone its way, before one can look."""

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if not context["connection"].in_atomic_block and not str(sql).lstrip().upper().startswith(_READS):
            collected.unsaid = True
        return run(sql, params, many, context)

    return execute


def _read(row: Any) -> Any:
    found = row[0] if row else None
    return json.loads(found) if isinstance(found, str) else found
