"""What a fence says through its server: docs/contracts.md, "refusal and replay"."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEADER = "Strangler-Refused"

_SHAPE = re.compile(r"move=([A-Za-z0-9_.-]+); term=([0-9]{1,18}); replay=([01])")


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Who answered does not own the move since that term; with "replay", nothing has happened there."""

    move: str
    term: int
    replay: bool


def parse_refusal(header: str | None) -> Refusal | None:
    """The refusal in the header's value; None for no header, or for one that is not of the agreed shape."""
    found = _SHAPE.fullmatch(header or "")
    if found is None:
        return None
    return Refusal(move=found[1], term=int(found[2]), replay=found[3] == "1")
