"""Who a client is, asked of the monolith and passed on to services: docs/contracts.md, "identity"."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import httpx

CACHED_SECONDS = 5.0
"""How long an answer is good for the same credentials: a logout reaches the services that much later."""
_ENTRIES = 10_000

_Key = tuple[str, str | None, str]


class IdentityUnknown(Exception):
    """The monolith did not say who the client is; it must not be taken for somebody anonymous."""


class Identities:
    """Tokens by a client's exact credentials and the service that they are for."""

    def __init__(
        self, client: httpx.AsyncClient, proxy_token: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._proxy_token = proxy_token
        self._clock = clock
        self._known: dict[_Key, tuple[float, str | None]] = {}

    async def token(
        self, monolith: str, audience: str, cookies: Sequence[str], authorization: str | None
    ) -> str | None:
        """The token for "audience", None for a client without credentials or unknown to the monolith.

        Raises IdentityUnknown where the monolith does not answer properly.
        """
        if not cookies and authorization is None:
            return None
        key = ("; ".join(cookies), authorization, audience)
        known = self._known.get(key)
        if known is not None and known[0] > self._clock():
            return known[1]
        token = await self._ask(monolith, audience, key[0], authorization)
        if len(self._known) >= _ENTRIES:
            self._known.clear()
        self._known[key] = (self._clock() + CACHED_SECONDS, token)
        return token

    async def _ask(self, monolith: str, audience: str, cookie: str, authorization: str | None) -> str | None:
        headers = {"Strangler-Proxy-Token": self._proxy_token}
        if cookie:
            headers["Cookie"] = cookie
        if authorization is not None:
            headers["Authorization"] = authorization
        try:
            answer = await self._client.get(
                f"{monolith}/.strangler/identity", params={"audience": audience}, headers=headers
            )
            if answer.status_code == httpx.codes.NO_CONTENT:
                return None
            if answer.status_code == httpx.codes.OK:
                return str(answer.json()["token"])
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise IdentityUnknown(f"the monolith did not say who the client is ({type(error).__name__})") from error
        raise IdentityUnknown(f"the monolith answered {answer.status_code} when asked who the client is")
