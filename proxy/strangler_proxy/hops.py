"""Fields that speak of one connection alone, and end with it (RFC 9110, 7.6.1): pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SPOKEN = frozenset(
    {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te"}
    | {b"trailer", b"upgrade"}
)
"""Beside Transfer-Encoding, which says where the body ends."""
_FRAMING = frozenset({b"host", b"content-length", b"transfer-encoding"})
_PERSISTENCE = (b"close", b"keep-alive")

Field = tuple[bytes, bytes]


def onward(kept: list[Field], said: Mapping[bytes, Sequence[bytes]]) -> list[Field]:
    """The other fields of a message, without those that its own Connection names; "said" has what these here said.

    The next connection is told of persistence, and of a change to websockets: to another protocol nobody may change by
    way of the proxy, since what comes then is not looked at.
    """
    if not (options := _tokens(said.get(b"connection", ()))):
        return kept
    named = options - _FRAMING
    kept = [field for field in kept if field[0].lower() not in named]
    if b"upgrade" in options and _tokens(said.get(b"upgrade", ())) == {b"websocket"}:
        return [*kept, (b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]
    told = [option for option in _PERSISTENCE if option in options]
    return [*kept, (b"Connection", b", ".join(told))] if told else kept


def without_persistence(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """The fields without what says whether their connection goes on."""
    kept: list[Field] = []
    for name, value in fields:
        if name.lower() == b"connection":
            tokens = [token for token in value.split(b",") if token.strip().lower() not in _PERSISTENCE]
            if tokens:
                kept.append((name, b",".join(tokens)))
        elif name.lower() != b"keep-alive":
            kept.append((name, value))
    return tuple(kept)


def _tokens(values: Sequence[bytes]) -> set[bytes]:
    return {token.strip().lower() for value in values for token in value.split(b",")} - {b""}
