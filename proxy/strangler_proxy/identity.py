"""Who a client is, asked of the monolith and passed on to services: docs/contracts.md, "identity"."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from mitmproxy import http

from strangler_proxy.routes import Upstream
from strangler_proxy.upstreams import Client, UpstreamFailed

CACHED_SECONDS = 5.0
"""How long an answer is good for the same credentials: a logout reaches the services that much later."""
_ENTRIES = 10_000


class IdentityUnknown(Exception):
    """The monolith did not say who the client is; it must not be taken for somebody anonymous."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """Who a client is; the token is None for somebody anonymous."""

    token: str | None

    @property
    def claims(self) -> Mapping[str, Any]:
        """What the token says. The monolith itself gave it to us, so its signature is the service's concern."""
        try:
            claims = (self.token or "").split(".")[1]
            told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        except (LookupError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    @property
    def staff(self) -> bool:
        return self.claims.get("staff") is True


class Identities:
    """Tokens by a client's exact credentials and the service that they are for."""

    def __init__(self, client: Client, proxy_token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._proxy_token = proxy_token
        self._clock = clock
        self._tokens: dict[bytes, tuple[float, str | None]] = {}

    def known(self, audience: str, cookies: Sequence[str], authorization: str | None) -> Known | None:
        """What is known without asking: nothing of a client with credentials that were not asked for lately."""
        if not cookies and authorization is None:
            return Known(token=None)
        until, token = self._tokens.get(_key(audience, cookies, authorization), (0.0, None))
        return Known(token=token) if until > self._clock() else None

    async def token(
        self, monolith: Upstream, audience: str, cookies: Sequence[str], authorization: str | None
    ) -> str | None:
        """The token for "audience", None for a client without credentials or unknown to the monolith.

        Raises IdentityUnknown where the monolith does not answer properly.
        """
        if (known := self.known(audience, cookies, authorization)) is not None:
            return known.token
        key = _key(audience, cookies, authorization)
        token = await self._ask(monolith, audience, "; ".join(cookies), authorization)
        if len(self._tokens) >= _ENTRIES:
            self._tokens.clear()
        self._tokens[key] = (self._clock() + CACHED_SECONDS, token)
        return token

    async def _ask(self, monolith: Upstream, audience: str, cookie: str, authorization: str | None) -> str | None:
        host, port = monolith.address
        fields = [("Host", f"{host}:{port}"), ("Strangler-Proxy-Token", self._proxy_token)]
        if cookie:
            fields.append(("Cookie", cookie))
        if authorization is not None:
            fields.append(("Authorization", authorization))
        url = f"{monolith.url.rstrip('/')}/.strangler/identity?audience={quote(audience)}"
        headers = http.Headers([(name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in fields])
        try:
            answer = await self._client.fetch(monolith, http.Request.make("GET", url, b"", headers))
            if answer.status_code == HTTPStatus.NO_CONTENT:
                return None
            if answer.status_code == HTTPStatus.OK:
                return _token(json.loads(answer.raw_content or b"")["token"])
        except (UpstreamFailed, ValueError, KeyError, TypeError) as error:
            raise IdentityUnknown(f"the monolith did not say who the client is ({type(error).__name__})") from error
        raise IdentityUnknown(f"the monolith answered {answer.status_code} when asked who the client is")


def _token(given: object) -> str:
    """What may stand in a header. Raises ValueError."""
    if not isinstance(given, str) or not given.isascii() or not given.isprintable():
        raise ValueError("the token is no text that may stand in a header")
    return given


def _key(audience: str, cookies: Sequence[str], authorization: str | None) -> bytes:
    """Small, however much a client sends, and no credential itself."""
    return hashlib.blake2b(repr((audience, *cookies, authorization)).encode(), digest_size=32).digest()
