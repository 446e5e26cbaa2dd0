"""Who is let through."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""With a public key: whoever can check a token cannot make one."""
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Whom an issuer's JSON Web Tokens tell of, in "Authorization: Bearer". Raises ValueError."""

    issuer: str
    audience: tuple[str, ...]
    """Of which a token names at least one: it was made for us, and not for somebody else whom its bearer trusted."""
    keys: str
    """The URL of the issuer's JSON Web Key Set: https, or file:///etc/keys.json; http on this machine alone."""
    algorithms: tuple[str, ...] = ("RS256",)
    leeway: int = 30
    """Seconds by which the issuer's clock may be off."""
    scopes: tuple[str, ...] = ()
    """Those that a token must have all, in "scope" or "scp"."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """Values that a token must have, or have in its lists, by their names."""

    def __post_init__(self) -> None:
        if not self.issuer or not self.audience or not all(self.audience):
            raise ValueError("tokens need an issuer and an audience; else those made for others would do")
        if not self.algorithms:
            raise ValueError(f'tokens of "{self.issuer}" need an algorithm; name one of {", ".join(ALGORITHMS)}')
        if unknown := sorted(set(self.algorithms) - set(ALGORITHMS)):
            raise ValueError(
                f'tokens of "{self.issuer}" cannot be signed by "{unknown[0]}"; name one of {", ".join(ALGORITHMS)}'
            )
        if not 0 <= self.leeway <= 300:
            raise ValueError(f'the leeway of tokens of "{self.issuer}" is {self.leeway}; it must be 0 to 300 seconds')
        check_scopes(self.scopes)
        parts = urlsplit(self.keys)
        here = parts.hostname in _LOOPBACK
        if not (parts.scheme == "https" or (parts.scheme == "file" and not parts.netloc) or here):
            raise ValueError(
                f'the keys of "{self.issuer}" are at "{self.keys}", where anybody on the way could change them; '
                "name an https:// or file:/// URL"
            )


@dataclass(frozen=True, kw_only=True)
class Session:
    """Whoever is logged in at the monolith."""

    staff: bool = False
    """Only of its staff."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Whom the project has given a key, in X-API-Key. Raises ValueError."""

    scopes: tuple[str, ...] = ()
    """Those that a key must have all."""

    def __post_init__(self) -> None:
        check_scopes(self.scopes)


@dataclass(frozen=True, kw_only=True)
class Authorize:
    """The ways to be let through; each that is named is one, and without any nobody is. Raises ValueError."""

    tokens: tuple[Tokens, ...] = ()
    session: Session | None = None
    keys: Keys | None = None
    anonymous: bool = False
    """Who shows nothing is let through as well; who shows what is not accepted is not."""

    def __post_init__(self) -> None:
        issuers = [one.issuer for one in self.tokens]
        if twice := sorted({issuer for issuer in issuers if issuers.count(issuer) > 1}):
            raise ValueError(f'tokens of "{twice[0]}" are accepted twice by one policy; say it once')


def check_scopes(scopes: Iterable[str]) -> None:
    """Raises ValueError on what could not stand in a token."""
    for scope in scopes:
        if not _SCOPE.fullmatch(scope):
            raise ValueError(
                f"the scope {scope!r} has a space, a quote or a sign that is not of ASCII; name it without"
            )
