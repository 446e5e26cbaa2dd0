"""Read your own writes while a canary splits the reads.

Each answered write of a move's routes gives its client a mark: this proxy's name and the moment, by its own clock. The
toolkit asks all proxies for the moment, has the candidate brought up to what the owner has committed by then, and tells
all proxies so. A read goes to the candidate only if the client's mark is known to be there; one that is not known stays
with the owner. A client that keeps no cookies is known to the proxy that it wrote through.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

_COOKIE = "strangler_wrote."
_SHAPE = re.compile(r"strangler_wrote\.([A-Za-z0-9_.-]+)=([0-9a-f]{8})\.([0-9]{1,20})")
_REMEMBERED = 50_000
_DIGEST = 32
_COOKIE_SECONDS = 3_600


class Wrote:
    """Who has written what the candidate may not have yet."""

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self.name = secrets.token_hex(4)
        """Of this proxy since it was started: another one's clock says nothing about ours."""
        self._clock = clock
        self._last: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._forgotten = 0
        self._seen: OrderedDict[tuple[str, str, int], int] = OrderedDict()
        self._there: dict[str, Mapping[str, int]] = {}

    def now(self) -> dict[str, int]:
        """The moment, by this proxy's name: all writes that were answered before it are committed."""
        return {self.name: self._clock()}

    def answered(self, move: str, client_key: str) -> bytes:
        """Remember a write; the value of the Set-Cookie header that tells it to other proxies."""
        moment, key = self._clock(), (move, _short(client_key))
        self._last[key] = moment
        self._last.move_to_end(key)
        if len(self._last) > _REMEMBERED:
            self._forgotten = self._last.popitem(last=False)[1]
        mark = f"{_COOKIE}{move}={self.name}.{moment}"
        return f"{mark}; Path=/; Max-Age={_COOKIE_SECONDS}; HttpOnly; SameSite=Lax".encode()

    def written(self, move: str, client_key: str, cookies: Iterable[str]) -> int:
        """The last moment at which this client may have written, by this proxy's clock; 0 for never.

        A mark of another proxy's clock counts from when it is first seen here.
        """
        last = self._last.get((move, client_key), self._forgotten)
        for cookie in cookies:
            if _COOKIE not in cookie:
                continue
            for found, proxy, moment in _marks(cookie):
                if found == move:
                    last = max(
                        last,
                        min(moment, self._clock()) if proxy == self.name else self._first_seen((move, proxy, moment)),
                    )
        return last

    def _first_seen(self, mark: tuple[str, str, int]) -> int:
        if mark not in self._seen:
            self._seen[mark] = self._clock()
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return self._seen[mark]

    def arrived(self, move: str, moments: Mapping[str, int]) -> None:
        """The candidate has what was committed before these moments, by each proxy's name."""
        self._there[move] = dict(moments)

    def behind(self, move: str, client_key: str, cookies: Iterable[str]) -> bool:
        """Whether the candidate may lack a write of this client."""
        there = self._there.get(move, {})
        mine = there.get(self.name, 0)
        # Of clients that were forgotten nothing is known but that they wrote no later than that.
        if self._last.get((move, _short(client_key)), self._forgotten) > mine:
            return True
        return any(
            moment > there.get(proxy, 0)
            for cookie in cookies
            if _COOKIE in cookie
            for found, proxy, moment in _marks(cookie)
            if found == move
        )


def _short(client_key: str) -> str:
    """Of a client whose key are its credentials, no more than a digest: they may be long, and are its own."""
    if len(client_key) < _DIGEST:
        return client_key
    return hashlib.blake2b(client_key.encode("utf-8", "surrogateescape"), digest_size=_DIGEST // 2).hexdigest()


def _marks(cookie: str) -> Iterable[tuple[str, str, int]]:
    for part in cookie.split(";"):
        if match := _SHAPE.fullmatch(part.strip()):
            yield match[1], match[2], int(match[3])
