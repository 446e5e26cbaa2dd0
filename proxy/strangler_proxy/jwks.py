"""Issuers' public keys, by the URLs of their JSON Web Key Sets: fetched when needed, and again now and then."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from jwt import PyJWK, PyJWTError

logger = logging.getLogger(__name__)

REFRESH = 300.0
"""Seconds after which a set is fetched again; a key that an issuer took out is no good then."""
GOOD = 3600.0
"""Seconds that keys are good for while their URL does not answer."""
PAUSE = 10.0
"""Seconds between two fetches: made-up names of keys must not become requests to the issuer."""
_TIMEOUT = 5.0
_LONGEST = 1 << 20


class KeysAway(Exception):
    """The issuer's keys cannot be had, so nobody knows whether the token is good."""


class UnknownKey(Exception):
    """The issuer has no such key for that algorithm."""


@dataclass(kw_only=True)
class _Set:
    keys: list[dict[str, Any]] = field(default_factory=list)
    ready: dict[tuple[str | None, str], PyJWK] = field(default_factory=dict)
    fetched: float | None = None
    tried: float | None = None
    failed: bool = False
    fetching: asyncio.Task[None] | None = None


class KeySets:
    """As many sets as policies name."""

    def __init__(self, read: Callable[[str], bytes] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """With "read" for how the bytes at a URL are had; it may block, and raises OSError."""
        self._read = read or _read
        self._clock = clock
        self._sets: dict[str, _Set] = {}

    async def key(self, url: str, kid: str | None, algorithm: str) -> PyJWK:
        """The key of that name for that algorithm; without a name, the only one. Raises KeysAway or UnknownKey."""
        known = self._sets.setdefault(url, _Set())
        found = self._find(known, kid, algorithm)
        age = None if known.fetched is None else self._clock() - known.fetched
        if found is None or age is None or age > REFRESH:
            fetching = self._fetch(url, known)
            if fetching is not None and (found is None or age is None or age > GOOD):
                await asyncio.shield(fetching)
                found = self._find(known, kid, algorithm)
        if known.fetched is None or self._clock() - known.fetched > GOOD or (found is None and known.failed):
            raise KeysAway(url)
        if found is None:
            raise UnknownKey
        return found

    def _fetch(self, url: str, known: _Set) -> asyncio.Task[None] | None:
        """The fetch that is under way, or a new one if the last is long enough ago."""
        if known.fetching is not None and not known.fetching.done():
            return known.fetching
        if known.tried is not None and self._clock() - known.tried < PAUSE:
            return None
        known.tried = self._clock()
        known.fetching = asyncio.get_running_loop().create_task(self._replace(url, known))
        return known.fetching

    async def _replace(self, url: str, known: _Set) -> None:
        try:
            keys = json.loads(await asyncio.to_thread(self._read, url))["keys"]
            known.keys = [key for key in keys if _is_for_signatures(key)]
        except (OSError, HTTPException, ValueError, LookupError, TypeError, RecursionError) as error:
            known.failed = True
            logger.warning("the keys at %s cannot be read (%r); those that are known are good for an hour", url, error)
            return
        known.ready.clear()
        known.fetched, known.failed = self._clock(), False

    def _find(self, known: _Set, kid: str | None, algorithm: str) -> PyJWK | None:
        if (kid, algorithm) in known.ready:
            return known.ready[kid, algorithm]
        named = [key for key in known.keys if kid is None or key.get("kid") == kid]
        fitting = [made for key in named if (made := _made(key, algorithm)) is not None]
        if not fitting or (kid is None and len(fitting) > 1):
            return None
        known.ready[kid, algorithm] = fitting[0]
        return fitting[0]


def _is_for_signatures(key: dict[str, Any]) -> bool:
    return key["kty"] != "oct" and key.get("use", "sig") == "sig" and "verify" in key.get("key_ops", ("verify",))


def _made(key: dict[str, Any], algorithm: str) -> PyJWK | None:
    if key.get("alg", algorithm) != algorithm:
        return None
    try:
        return PyJWK(key, algorithm)
    except PyJWTError:
        return None


class _Nowhere(urllib.request.HTTPRedirectHandler):
    """A redirection is an error: it could lead away from https."""

    def redirect_request(self, *_: object) -> None:
        return None


_opener = urllib.request.build_opener(_Nowhere)


def _read(url: str) -> bytes:
    with _opener.open(url, timeout=_TIMEOUT) as answer:
        content: bytes = answer.read(_LONGEST + 1)
    if len(content) > _LONGEST:
        raise OSError(f"it is longer than {_LONGEST} bytes")
    return content
