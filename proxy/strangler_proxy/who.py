"""Who a request is from, once one of the accepted ways has told, and why it is not let through."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from strangler_proxy.forwarding import Fields

_KEPT = "-._~:@/+|"


@dataclass(frozen=True, kw_only=True)
class Who:
    """Somebody who was let through."""

    way: str
    """"token", "session" or "key"."""
    subject: str
    """Of the issuer's or the monolith's, or the developer."""
    issuer: str = ""
    scopes: tuple[str, ...] = ()
    key: str = ""
    """The id of a developer's key."""
    plan: str = ""
    """Of that key."""

    @property
    def user(self) -> str:
        """A name that nobody else has."""
        return " ".join(part for part in (self.way, self.issuer, self.subject) if part)

    def fields(self) -> Fields:
        """What upstreams are told, percent-encoded: clients cannot send headers of such names."""
        told = {
            "Strangler-Way": self.way,
            "Strangler-Subject": self.subject,
            "Strangler-Issuer": self.issuer,
            "Strangler-Scopes": " ".join(quote(scope, safe=_KEPT) for scope in self.scopes),
            "Strangler-Key": self.key,
        }
        kept = {name: value if name == "Strangler-Scopes" else quote(value, safe=_KEPT) for name, value in told.items()}
        return tuple((name.encode(), value.encode()) for name, value in kept.items() if value)


class Denied(Exception):
    """Whoever it is shows nothing that is accepted (401), or may not do this (403: with scopes, or forbidden)."""

    def __init__(self, why: str, *, scopes: tuple[str, ...] = (), forbidden: bool = False) -> None:
        super().__init__(why)
        self.scopes = scopes
        self.forbidden = forbidden or bool(scopes)


class Unknown(Exception):
    """Nobody can tell at present who it is; such a request goes nowhere."""
