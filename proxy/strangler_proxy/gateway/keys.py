"""Developers' keys: what is shown, and what proxies know of them.

A key is "<id>.<secret>", the secret 256 random bits. It is kept as its plain SHA-256: nobody can try 2 ** 256 of them,
so a slow hash or a salt, which make guessed passwords dear, would only make every request so.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from strangler_proxy.gateway.authorize import check_scopes
from strangler_proxy.gateway.codec import decode, encode
from strangler_proxy.patterns import Patterns, segments

HEADER = "X-API-Key"
_ID = re.compile(r"key_[0-9a-f]{16}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key as proxies know it. Times are seconds since 1970. Raises ValueError."""

    id: str
    developer: str
    digest: str
    """Of its secret."""
    old: str = ""
    """Of the secret before, which is good until old_until."""
    old_until: float = 0.0
    plan: str = ""
    """The name of the plan whose quotas it has; empty for none."""
    scopes: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    """Patterns of the paths that it is good for; none: all."""
    expires: float | None = None
    revoked: bool = False
    _tree: Patterns[bool] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id) or not _DIGEST.fullmatch(self.digest):
            raise ValueError(
                f'"{self.id}" is no key; its id is of the form key_0123456789abcdef, its digest of SHA-256'
            )
        check_scopes(self.scopes)
        object.__setattr__(self, "_tree", Patterns((pattern, True) for pattern in self.routes))

    def refusal(self, secret: str, now: float) -> str | None:
        """Why a request with this secret is refused, in a sentence; None where it is good."""
        digest = digest_of(secret)
        current = hmac.compare_digest(digest, self.digest)
        if not current and not (hmac.compare_digest(digest, self.old) and now < self.old_until):
            return "the key is not known"
        if self.revoked:
            return "the key has been revoked"
        if self.expires is not None and now >= self.expires:
            return "the key has expired"
        return None

    def is_for(self, target: str) -> bool:
        """Whether it is good for a request's path."""
        parts = segments(target)
        return not self.routes or (parts is not None and self._tree.find(parts) is not None)


@dataclass(frozen=True, kw_only=True)
class KeyPage:
    """Keys that changed between two revisions. Raises ValueError."""

    after: int
    """0 for a first page, in whose place all that a proxy had goes."""
    revision: int
    keys: tuple[ApiKey, ...] = ()
    replaces: int = 0
    """Of a first page: the revision that the proxy was seen at."""

    def __post_init__(self) -> None:
        if not 0 <= self.after <= self.revision or self.replaces < 0:
            raise ValueError(f"a page of keys leads from revision {self.after} to {self.revision}; it must lead on")

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> KeyPage:
        """Raises ValueError with one sentence."""
        return decode(cls, given, "the page of keys")

    def to_json(self) -> dict[str, Any]:
        """The object that from_json reads."""
        told: dict[str, Any] = encode(self)
        return told


@dataclass(frozen=True, kw_only=True)
class KeyRing:
    """All keys at one revision."""

    revision: int = 0
    keys: Mapping[str, ApiKey] = field(default_factory=dict)
    """By their ids."""

    def with_page(self, page: KeyPage) -> KeyRing:
        """The ring with what changed. Raises ValueError where something is missing between, or the page is older."""
        follows = page.after <= self.revision <= page.revision if page.after else page.replaces == self.revision
        if not follows:
            raise ValueError(
                f"the keys are at revision {self.revision}, and were offered those from {page.after or page.replaces} "
                f"to {page.revision}"
            )
        keys = dict(self.keys) if page.after else {}
        return KeyRing(revision=page.revision, keys=keys | {key.id: key for key in page.keys})


def new_id() -> str:
    """An id that no other key has."""
    return f"key_{secrets.token_hex(8)}"


def new_secret() -> str:
    """256 random bits, as text."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
