"""What a fence says through its server: docs/contracts.md, "refusal and replay"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from strangler_proxy.forwarding import Fields

_HEADER = b"strangler-refused"
_SHAPE = re.compile(rb"move=([A-Za-z0-9_.-]+); term=([0-9]{1,18}); replay=([01])")


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Who answered does not own the move since that term; with "replay", nothing has happened there."""

    move: str
    term: int
    replay: bool


def refusal_in(fields: Fields) -> Refusal | None:
    """The refusal in an answer's header; None where there is none, or not one of the agreed shape."""
    for name, value in fields:
        if name.lower() == _HEADER and (found := _SHAPE.fullmatch(value)):
            return Refusal(move=found[1].decode(), term=int(found[2]), replay=found[3] == b"1")
    return None
