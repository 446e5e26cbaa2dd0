"""Which reads are answered from the proxy's cache."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_TAG = re.compile(r"[A-Za-z0-9_.:/-]+")


@dataclass(frozen=True, kw_only=True)
class Cache:
    """A shared cache as RFC 9111 has it: an answer's own Cache-Control and Expires go before what stands here.

    A request with a cookie, or with a header that is neither well known nor named here, goes past the cache. Raises
    ValueError.
    """

    seconds: float = 0.0
    """How long an answer is fresh that does not say so itself; 0: only those that do are kept."""
    stale_while_revalidate: float = 0.0
    """Seconds for which a stale answer still serves while a new one is fetched, where the answer does not say."""
    stale_if_error: float = 0.0
    """Seconds for which a stale answer serves where the upstream fails, where the answer does not say."""
    ignore_cookies: tuple[str, ...] = ()
    """Cookies that do not matter for these paths. The upstream does not get them with a read."""
    ignore_headers: tuple[str, ...] = ()
    """Headers of requests that do not matter. The upstream does not get them with a read."""
    key_headers: tuple[str, ...] = ()
    """Headers of requests that answers depend on, whether or not they say so in Vary."""
    tags: tuple[str, ...] = ()
    """By which entries can be purged, beside those in an answer's Cache-Tag."""

    def __post_init__(self) -> None:
        for name in ("seconds", "stale_while_revalidate", "stale_if_error"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"a cache's {name} is {getattr(self, name):g}; it must be a number of seconds from 0")
        for name in (*self.ignore_cookies, *self.ignore_headers, *self.key_headers):
            if not _TOKEN.fullmatch(name):
                raise ValueError(f'a cache names "{name}", which cannot be the name of a cookie or a header')
        for tag in self.tags:
            if not _TAG.fullmatch(tag):
                raise ValueError(f'a cache has the tag "{tag}"; use letters, digits, and "_.:/-"')
