"""Which reads may share an answer: only what the cache's key holds may reach the upstream and change what it says."""

from __future__ import annotations

import re

from strangler_proxy.forwarding import Fields, values
from strangler_proxy.gateway.cache import Cache
from strangler_proxy.steps.freshness import directive
from strangler_proxy.steps.visit import Visit

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_OURS = "strangler_"
"""The proxy's own cookies; they matter to no upstream."""
_KNOWN = frozenset(
    b"accept accept-charset accept-encoding accept-language authorization cache-control connection content-length "
    b"cookie dnt host if-modified-since if-none-match keep-alive origin pragma priority referer save-data te "
    b"traceparent tracestate upgrade-insecure-requests user-agent via x-forwarded-for x-forwarded-host "
    b"x-forwarded-proto".split()
)
"""What clients send of their own accord. Answers that depend on it say so in Vary; Host and Origin are in the key."""


def past(policy: Cache, visit: Visit) -> str:
    """Why a read neither finds nor leaves anything in the cache; "" for one that may."""
    if visit.method not in ("GET", "HEAD"):
        return "method"
    if directive(visit.fields, "no_store"):
        return "no-store"
    if visit.body is None or visit.body or any(length != "0" for length in values(visit.fields, b"content-length")):
        return "a body"
    if cookies := [name for name in _cookies(visit.fields) if not _ignored(policy, name)]:
        return f"the cookie {cookies[0]}" if _NAME.fullmatch(cookies[0]) else "a cookie"
    named = {name.lower().encode() for name in (*policy.ignore_headers, *policy.key_headers)}
    for name, _ in visit.fields:
        lower = name.lower()
        if lower not in _KNOWN and lower not in named and not lower.startswith(b"sec-"):
            return f"the header {lower.decode('latin-1')}"
    return ""


def without_ignored(policy: Cache, visit: Visit) -> None:
    """Take out of the request what is not in the key and does not matter."""
    ignored = {name.lower().encode() for name in policy.ignore_headers}
    visit.fields = tuple(one for one in visit.fields if one[0].lower() not in ignored and one[0].lower() != b"cookie")
    # The proxy's own go on being known to the proxy.
    visit.cookies = [part for header in visit.cookies for part in _parts(header) if part.startswith(_OURS)]


def keyed(policy: Cache, fields: Fields) -> tuple[str, ...]:
    """What the key holds of the header."""
    return tuple(
        "\n".join(values(fields, name.lower().encode()))
        for name in ("origin", "x-forwarded-proto", *policy.key_headers)
    )


def _ignored(policy: Cache, name: str) -> bool:
    return name.startswith(_OURS) or name in policy.ignore_cookies


def _cookies(fields: Fields) -> list[str]:
    return [part.partition("=")[0] for header in values(fields, b"cookie") for part in _parts(header)]


def _parts(header: str) -> list[str]:
    return [part.strip() for part in header.split(";") if part.strip()]
