"""Headers between client, proxy and upstream."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, MutableMapping, Sequence
from http.cookies import CookieError, SimpleCookie

from mitmproxy import http

CLIENT_COOKIE = "strangler_client"
IDENTITY = "Strangler-Identity"
MOVE = "Strangler-Move"
_OURS = "strangler-"
_VIA = "1.1 strangler"
_CSRF_COOKIE = "csrftoken"
_KEY = re.compile(r"[A-Za-z0-9_-]{22}")
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
# Hop by hop: they speak of one connection and are not passed on by a second one.
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding"}
    | {"upgrade"}
)


def strip_ours(headers: MutableMapping[str, str]) -> None:
    """Take our own headers out: a client must not speak as the proxy, nor hear what servers tell it.

    With underscores too: WSGI knows no difference between Strangler-Identity and Strangler_Identity.
    """
    for name in [name for name in headers if name.lower().replace("_", "-").startswith(_OURS)]:
        headers.pop(name, None)


def prepare_request(headers: MutableMapping[str, str], peer: str, scheme: str) -> None:
    """Make a client's headers those of a forwarded request, in place."""
    strip_ours(headers)
    before = headers.get("X-Forwarded-For")
    headers["X-Forwarded-For"] = f"{before}, {peer}" if before else peer
    headers["X-Forwarded-Proto"] = scheme
    headers["X-Forwarded-Host"] = headers.get("Host", "")
    headers["Via"] = _joined(headers.get("Via"), _VIA)
    if not _TRACEPARENT.fullmatch(headers.get("traceparent", "")):
        headers["traceparent"] = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def prepare_response(headers: MutableMapping[str, str]) -> None:
    """Make an upstream's headers those of the proxy's answer, in place."""
    strip_ours(headers)
    headers["Via"] = _joined(headers.get("Via"), _VIA)


def client_key(cookie_headers: Iterable[str], authorization: str | None) -> tuple[str, bool]:
    """(what the client's bucket is made of, whether it is new and has to be set as a cookie).

    The proxy's own cookie, else the client's credentials (programs keep no cookies), else a new random key.
    """
    for header in cookie_headers:
        try:
            morsel = SimpleCookie(header).get(CLIENT_COOKIE)
        except CookieError:
            continue
        if morsel is not None and _KEY.fullmatch(morsel.value):
            return morsel.value, False
    if authorization:
        return authorization, False
    return secrets.token_urlsafe(16), True


def client_cookie(key: str) -> str:
    """The value of the Set-Cookie header that keeps a client on its side."""
    return f"{CLIENT_COOKIE}={key}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"


def restore_credentials(headers: http.Headers, cookies: Sequence[str], authorization: str | None) -> None:
    """Give the client's session back, as it came."""
    if cookies:
        headers.set_all("Cookie", cookies)
    if authorization is not None:
        headers["Authorization"] = authorization


def take_credentials(headers: http.Headers, cookies: Sequence[str]) -> None:
    """A service never sees a session; of the cookies it needs the one that its CSRF check compares."""
    headers.pop("Authorization", None)
    headers.pop("Cookie", None)
    parts = (part.strip() for header in cookies for part in header.split(";"))
    if wanted := [part for part in parts if part.startswith(_CSRF_COOKIE + "=")]:
        headers["Cookie"] = "; ".join(wanted)


def _joined(before: str | None, ours: str) -> str:
    return f"{before}, {ours}" if before else ours
