"""Which version of an interface a request speaks: pure."""

from __future__ import annotations

import re

from strangler_proxy.forwarding import Fields, values
from strangler_proxy.gateway.versions import Version, Versions
from strangler_proxy.patterns import segments, shape


def spoken(versions: Versions, pattern: str, target: str, fields: Fields) -> tuple[Version | None, bool]:
    """(the version, None where it is unknown, and whether the request itself says it)."""
    known = {version.name: version for version in versions.known}
    default = known.get(versions.default)
    said = _said(versions, pattern, target, fields)
    if versions.by == "path":
        (name,) = said or [""]
        if name in known:
            return known[name], True
        # What looks like one, beside those that are known, is no name of a thing.
        return (None, True) if default is None or _form(name) in map(_form, known) else (default, False)
    if not said:
        return default, False
    return next((known[name] for name in said if name in known), None), True


def _said(versions: Versions, pattern: str, target: str, fields: Fields) -> list[str]:
    """What a request says, what it wants most first."""
    kind, _, name = versions.by.partition(":")
    if kind == "path":
        parts, depth = segments(target) or [], len(shape(pattern))
        return parts[depth : depth + 1]
    if kind == "header":
        found = [value.strip() for value in values(fields, name.lower().encode())]
        return found if len(set(found)) < 2 else [""]  # two are none
    return _parameters(fields, b"accept", name) or _parameters(fields, b"content-type", name)


def _parameters(fields: Fields, header: bytes, name: str) -> list[str]:
    found: list[tuple[float, str]] = []
    for part in ",".join(values(fields, header)).split(","):
        given: dict[str, str] = {}
        for parameter in part.split(";")[1:]:
            key, _, value = parameter.partition("=")
            given.setdefault(key.strip().lower(), value.strip().strip('"'))
        if name.lower() in given:
            found.append((_quality(given.get("q", "1")), given[name.lower()]))
    return [value for quality, value in sorted(found, key=lambda one: -one[0]) if quality > 0]


def _quality(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](?:\.\d{0,3})?", text) else 1.0


def _form(name: str) -> str:
    return re.sub(r"\d+", "0", name)
