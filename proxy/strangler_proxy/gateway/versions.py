"""Versions of an interface that are served at once, and how a client says which one it speaks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from strangler_proxy.gateway.transform import Transform

_NAME = re.compile(r"[A-Za-z0-9._~-]+")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_LINK = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]*")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A server beside those that moves have, with data of its own; its name and URL are checked as an upstream's."""

    name: str
    url: str
    identity: bool = True
    """Its requests carry who the client is instead of a session."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """One of them. Raises ValueError."""

    name: str
    path: str = ""
    """Where the upstream has it, in place of the policy's path; with its placeholders. Without: at that path itself."""
    stage: str = ""
    """The stage that answers it, whoever owns the path."""
    transform: Transform | None = None
    """What makes of its requests those of the upstream, and of the upstream's answers its own."""
    deprecated: str = ""
    """Since or from when it is, as "2026-01-31" or with a time; UTC where it does not say."""
    sunset: str = ""
    """From when it may be gone."""
    link: str = ""
    """Where a person can read about that."""
    gone: bool = False
    """Answered 410."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f'a version has the name "{self.name}"; use letters, digits, and "._~-"')
        moment(self.deprecated, f'the version "{self.name}" is deprecated')
        moment(self.sunset, f'the version "{self.name}" has its sunset')
        if not _LINK.fullmatch(self.link):
            raise ValueError(f'the version "{self.name}" has the link "{self.link}", which is no address')
        if self.transform is not None and self.transform.path:
            raise ValueError(f'the version "{self.name}" changes the path by its transformation; say it as its "path"')


@dataclass(frozen=True, kw_only=True)
class Versions:
    """All that are known below the policy's path. Raises ValueError."""

    known: tuple[Version, ...]
    by: str = "path"
    """Where a request says its version: "path" (the segment after the policy's path), "header:<name>", or
    "media:<parameter>" of Accept, or of Content-Type where Accept says none."""
    default: str = ""
    """What a request speaks that does not say; without it, it has to say."""

    def __post_init__(self) -> None:
        names = [version.name for version in self.known]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"the versions {', '.join(names) or '(none)'} must be one or more, and of different names")
        kind, _, name = self.by.partition(":")
        if self.by != "path" and not (kind in ("header", "media") and _TOKEN.fullmatch(name)):
            raise ValueError(f'versions are told by "{self.by}"; write "path", "header:<name>" or "media:<parameter>"')
        if self.default and self.default not in names:
            raise ValueError(f'the default version "{self.default}" is not among the known ({", ".join(names)})')


def moment(text: str, what: str = "") -> datetime | None:
    """A point in time; None for an empty text. Raises ValueError."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'{what} "{text}"; write a date like "2026-01-31"') from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
