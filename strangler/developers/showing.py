"""Developers' keys as people and programs read them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from strangler.developers.register import Registered

Row = Mapping[str, Any]


def rows(keys: Iterable[Registered], now: datetime) -> list[Row]:
    """One object each; nothing in it lets anybody through."""
    return [
        {
            "id": found.key.id,
            "developer": found.key.developer,
            "state": found.state(now.timestamp()),
            "plan": found.key.plan,
            "scopes": list(found.key.scopes),
            "routes": list(found.key.routes),
            "created": _written(found.created),
            "expires": _written(found.key.expires),
            "revoked": _written(found.revoked),
        }
        for found in keys
    ]


def lines(found: Sequence[Row]) -> Iterator[str]:
    """One line each."""
    if not found:
        yield "There are no keys."
    for row in found:
        parts = [row["id"], row["state"], row["developer"], row["plan"] or "no plan"]
        parts += [f"{name}: {' '.join(given)}" for name in ("scopes", "routes") if (given := row[name])]
        parts += [f"{name} {row[name]}" for name in ("created", "expires", "revoked") if row[name]]
        yield "  ".join(map(str, parts))


def _written(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
