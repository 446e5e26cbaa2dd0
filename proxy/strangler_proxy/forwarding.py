"""Header fields between client, proxy and upstream: pure functions over the bytes as they came, in one pass each.

mitmproxy's Headers decode and search all fields at every look, which would be a third of what a request costs.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence

from strangler_proxy import hops
from strangler_proxy.trust import Way

Fields = tuple[tuple[bytes, bytes], ...]

CLIENT_COOKIE = "strangler_client"
_IDENTITY = b"Strangler-Identity"
SHADOW = b"Strangler-Shadow"
"""Marks a request whose answer nobody gets."""
_MOVE = b"Strangler-Move"
_OURS = b"strangler-"
_VIA = b"1.1 strangler"
_CSRF_COOKIE = "csrftoken"
_KEY = re.compile(r"[A-Za-z0-9_-]{22}")
_TRACEPARENT = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_FORWARDED = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"via", b"traceparent"})
_COLLECTED = _FORWARDED | hops.SPOKEN
_SAID = (b"x-forwarded-", b"forwarded", b"x-real-ip")
"""How the names of fields begin by which servers are told of a request's way."""
_CREDENTIALS = frozenset({b"cookie", b"authorization"})
HOP_BY_HOP = hops.SPOKEN | {b"transfer-encoding"}


def forwarded(fields: Fields, way: Way) -> Fields:
    """A client's fields as those of a forwarded request.

    What only proxies may say is taken out, and every name with an underscore: WSGI knows no difference between
    Strangler-Identity and Strangler_Identity, and gunicorn takes a SCRIPT_NAME for the beginning of the path.
    """
    kept: list[tuple[bytes, bytes]] = []
    said: dict[bytes, list[bytes]] = {}
    for field in fields:
        name = field[0].lower()
        if name in _COLLECTED:
            said.setdefault(name, []).append(field[1])
        elif b"_" not in name and not name.startswith(_OURS) and (way.believed or not name.startswith(_SAID)):
            kept.append(field)
            if name == b"host":
                said.setdefault(name, []).append(field[1])
    trace = b", ".join(said.get(b"traceparent", ()))
    if not _TRACEPARENT.fullmatch(trace):
        trace = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01".encode()
    return (
        *hops.onward(kept, said),
        (b"X-Forwarded-For", ", ".join(way.addresses).encode()),
        (b"X-Forwarded-Proto", way.scheme.encode()),
        (b"X-Forwarded-Host", b", ".join(said.get(b"host", ()))),
        (b"Via", b", ".join((*said.get(b"via", ()), _VIA))),
        (b"traceparent", trace),
    )


def told_to_go_on(fields: Fields) -> Fields:
    """The fields without what the proxy has answered itself: a client whose body is here waits for no 100 Continue."""
    return tuple(field for field in fields if field[0].lower() != b"expect")


def towards(fields: Fields, *, move: str, identity: bool, cookies: Sequence[str], token: str | None) -> Fields:
    """Forwarded fields as they go to one upstream; with "identity" the client's token stands in place of its session.

    A service never sees a session; of the cookies it needs the one that its CSRF check compares.
    """
    if move:
        fields = (*fields, (_MOVE, move.encode()))
    if not identity:
        return fields
    fields = tuple(field for field in fields if field[0].lower() not in _CREDENTIALS)
    parts = (part.strip() for header in cookies for part in header.split(";"))
    if wanted := [part for part in parts if part.startswith(_CSRF_COOKIE + "=")]:
        fields = (*fields, (b"Cookie", "; ".join(wanted).encode("utf-8", "surrogateescape")))
    return (*fields, (_IDENTITY, token.encode())) if token is not None else fields


def answered(fields: Fields) -> Fields:
    """An upstream's fields as those of the proxy's answer."""
    kept: list[tuple[bytes, bytes]] = []
    said: dict[bytes, list[bytes]] = {}
    for field in fields:
        name = field[0].lower()
        if name == b"via" or name in hops.SPOKEN:
            said.setdefault(name, []).append(field[1])
        elif not name.replace(b"_", b"-").startswith(_OURS):
            kept.append(field)
    return (*hops.onward(kept, said), (b"Via", b", ".join((*said.get(b"via", ()), _VIA))))


def end_to_end(fields: Iterable[tuple[bytes, bytes]]) -> Fields:
    """The fields that one connection's end passes on to the next connection."""
    return tuple(field for field in fields if field[0].lower() not in HOP_BY_HOP)


def values(fields: Fields, name: bytes) -> list[str]:
    """All values of a field, by its name in small letters."""
    return [field[1].decode("utf-8", "surrogateescape") for field in fields if field[0].lower() == name]


def client_key(cookies: Iterable[str], authorization: str | None) -> tuple[str, bool]:
    """(what the client's bucket is made of, whether it is new and has to be set as a cookie).

    The proxy's own cookie, else the client's credentials (programs keep no cookies), else a new random key.
    """
    for header in cookies:
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            if name == CLIENT_COOKIE and _KEY.fullmatch(value):
                return value, False
    if authorization:
        return authorization, False
    return secrets.token_urlsafe(16), True


def client_cookie(key: str) -> bytes:
    """The value of the Set-Cookie header that keeps a client on its side."""
    return f"{CLIENT_COOKIE}={key}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax".encode()
