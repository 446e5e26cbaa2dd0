"""A service's document as it may be taken in: OpenAPI 3 in JSON, which refers to nothing outside of itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
LONGEST = 1 << 20
"""Bytes of one as JSON."""
_DEEPEST = 100

Document = dict[str, Any]


def checked(given: Any, name: str) -> Document:
    """The document, with its servers' path in its paths. Raises ValueError, with one sentence."""
    where = f'the OpenAPI document of "{name}"'
    if not isinstance(given, dict) or not str(given.get("openapi", "")).startswith(("3.0.", "3.1.")):
        raise ValueError(f"{where} is none of version 3.0 or 3.1")
    if not isinstance(given.get("paths"), dict) or any(not path.startswith("/") for path in given["paths"]):
        raise ValueError(f'{where} has no "paths" that begin with "/"')
    if not all(isinstance(item, dict) for item in given["paths"].values()):
        raise ValueError(f"{where} has a path that is no object")
    sections = given.get("components", {})
    if not isinstance(sections, dict) or not all(isinstance(section, dict) for section in sections.values()):
        raise ValueError(f'{where} has "components" that are no objects')
    if len(json.dumps(given)) > LONGEST:
        raise ValueError(f"{where} is longer than {LONGEST} bytes")
    try:
        json.dumps(given, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError(f"{where} has half a character, which no text can hold") from None
    for reference in references(given):
        if not reference.startswith("#/"):
            raise ValueError(f'{where} refers to "{reference}", outside of itself; put what is there into it')
        if _found(given, reference) is None:
            raise ValueError(f'{where} refers to "{reference}", where nothing is')
    return _at_its_server(given)


def references(value: Any, depth: int = 0) -> Iterator[str]:
    """All that "$ref" says in it. Raises ValueError where it is nested too deeply."""
    if depth > _DEEPEST:
        raise ValueError(f"an OpenAPI document is nested more than {_DEEPEST} levels deep")
    if isinstance(value, dict):
        if isinstance(reference := value.get("$ref"), str):
            yield reference
        for part in value.values():
            yield from references(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            yield from references(part, depth + 1)


def resolved(document: Document, value: Any) -> Any:
    """What a value refers to, if it does; itself otherwise. Of a circle nothing."""
    for _ in range(_DEEPEST):
        if not isinstance(value, dict) or not isinstance(reference := value.get("$ref"), str):
            return value
        value = _found(document, reference)
    return None


def _found(document: Document, reference: str) -> Any:
    value: Any = document
    for part in reference.removeprefix("#/").split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value


def _at_its_server(document: Document) -> Document:
    servers = document.get("servers")
    url = servers[0].get("url", "") if isinstance(servers, list) and servers and isinstance(servers[0], dict) else ""
    base = urlsplit(str(url)).path.rstrip("/")
    kept = {name: part for name, part in document.items() if name != "servers"}
    return {**kept, "paths": {f"{base}{path}": item for path, item in document["paths"].items()}}
