"""Which clients a canary takes: what their bucket is made of, and who comes before all others. Pure.

A key is "client" (the proxy's own cookie), "cookie:<name>" or "header:<name>". A mark of those who come early is
"cookie:<name>=<value>", "header:<name>=<value>" or "staff": what the monolith says of the client.
Standard library only: the proxy and the toolkit share this module.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

CLIENT = "client"
STAFF = "staff"

Fields = tuple[tuple[bytes, bytes], ...]

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_OURS = "strangler"
_CHANGING = frozenset(
    {"connection", "keep-alive", "te", "trailer", "upgrade", "transfer-encoding", "proxy-authorization", "expect"}
    | {"via", "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip"}
    | {"traceparent", "tracestate", "x-request-id", "x-correlation-id", "date", "referer", "origin", "range"}
    | {"content-length", "content-type", "content-encoding", "accept", "cache-control", "pragma"}
    | {"if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"}
)
"""Headers that one client sends with other values from request to request, or that are written on the way."""


def check_key(key: str) -> None:
    """Raises ValueError, with one sentence, where no client could be told by the key, or not always as the same one."""
    if key == CLIENT:
        return
    kind, name = _parts(key, f'"{CLIENT}", "cookie:<name>" or "header:<name>"')
    _check_name(key, kind, name)


def check_mark(mark: str) -> None:
    """Raises ValueError, with one sentence, where the mark means nothing, or not the same at each request."""
    if mark == STAFF:
        return
    expected = f'"{STAFF}", "cookie:<name>=<value>" or "header:<name>=<value>"'
    kind, rest = _parts(mark, expected)
    name, equals, value = rest.partition("=")
    _check_name(mark, kind, name)
    if not equals or not _VALUE.fullmatch(value) or (kind == "cookie" and ";" in value):
        raise ValueError(f'"{mark}" has no value that a request could bear; write {expected}')


def key_in(key: str, fields: Fields) -> str | None:
    """What a request's bucket is made of, by a key that is not "client"; None where it bears none, or more than one."""
    return _value(*_read(key)[:2], fields)


def comes_early(marks: tuple[str, ...], fields: Fields, staff: Callable[[], bool]) -> bool:
    """Whether a request bears any of the marks. Only for the mark "staff" it is asked whether the client is that."""
    for mark in marks:
        if mark == STAFF:
            if staff():
                return True
            continue
        kind, name, value = _read(mark)
        if _value(kind, name, fields) == value:
            return True
    return False


def _parts(text: str, expected: str) -> tuple[str, str]:
    kind, colon, rest = text.partition(":") if isinstance(text, str) else ("", "", "")
    if kind not in ("cookie", "header") or not colon:
        raise ValueError(f'"{text}" is none of {expected}')
    return kind, rest


def _check_name(text: str, kind: str, name: str) -> None:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f'"{text}" names no {kind}; use letters, digits, "-" and "_"')
    small = name.lower()
    if small.startswith(_OURS):
        raise ValueError(f'"{text}" names a {kind} of the proxy\'s own, which is "{CLIENT}" or changes; name another')
    if kind == "header" and "_" in name:
        raise ValueError(f'"{text}" names a header with "_", which servers read as "-"; write "-"')
    if kind == "header" and small == "cookie":
        raise ValueError(f'"{text}" names all cookies at once, which change; name one, as in "cookie:sessionid"')
    if kind == "header" and small in _CHANGING:
        raise ValueError(f'"{text}" names a header that changes from request to request; name one that stays')


@lru_cache(maxsize=1_000)
def _read(text: str) -> tuple[str, str, str]:
    kind, _, rest = text.partition(":")
    name, _, value = rest.partition("=")
    return kind, name, value


def _value(kind: str, name: str, fields: Fields) -> str | None:
    """The one value that a request has for it; of two nobody knows which one another server takes."""
    values = set(_cookies(name.encode(), fields) if kind == "cookie" else _headers(name.lower().encode(), fields))
    if len(values) != 1:
        return None
    return values.pop().decode("utf-8", "surrogateescape") or None


def _headers(name: bytes, fields: Fields) -> list[bytes]:
    return [field[1].strip() for field in fields if field[0].lower() == name]


def _cookies(name: bytes, fields: Fields) -> list[bytes]:
    pairs = (part.strip().partition(b"=") for value in _headers(b"cookie", fields) for part in value.split(b";"))
    return [value for found, equals, value in pairs if found == name and equals]
