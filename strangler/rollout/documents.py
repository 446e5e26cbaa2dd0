"""OpenAPI documents of the services, read from their servers or from files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import httpx
from strangler_proxy.openapi.document import Document, checked
from strangler_proxy.routes import RouteTable

from strangler.errors import StranglerError

_SECONDS = 30.0
_ACCEPT = "application/vnd.oai.openapi+json, application/json"


class DocumentError(StranglerError):
    """A document could not be read."""


def documents(where: Mapping[str, str], table: RouteTable, root: Path) -> dict[str, Document]:
    """Each upstream's document as it stands there. Raises DocumentError naming the upstream."""
    known = {upstream.name: upstream.url.rstrip("/") for upstream in table.upstreams}
    found: dict[str, Document] = {}
    for name, place in where.items():
        if name not in known:
            raise DocumentError(
                f'STRANGLER["OPENAPI"] names "{name}", which is no upstream of the table; they are {", ".join(known)}'
            )
        from_file = place.startswith("file:")
        text = _file(name, root / place.removeprefix("file:")) if from_file else _fetched(name, known[name] + place)
        try:
            given = json.loads(text)
            checked(given, name)
        except (ValueError, RecursionError) as error:
            raise DocumentError(f'what "{name}" gives at {place} cannot be taken: {error}') from error
        found[name] = given
    return found


def _file(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DocumentError(f'the OpenAPI document of "{name}" cannot be read ({error})') from error


def _fetched(name: str, url: str) -> str:
    try:
        answer = httpx.get(url, headers={"Accept": _ACCEPT}, timeout=_SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        raise DocumentError(f'"{name}" does not give its document at {url} ({type(error).__name__})') from error
    if answer.status_code != httpx.codes.OK:
        raise DocumentError(f'"{name}" answers {answer.status_code} for its document at {url}')
    return answer.text
