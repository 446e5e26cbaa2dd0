"""What an operation answers by the examples in its document, or, where it has none, by its schemas. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strangler_proxy.openapi.document import Document, resolved
from strangler_proxy.patterns import segments

_DEEPEST = 12
_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00",
    "email": "somebody@example.org",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "decimal": "1.00",
}


@dataclass(frozen=True, kw_only=True)
class Example:
    """An answer; without a media type it has no body."""

    status: int
    kind: str = ""
    value: Any = None


def operation_at(document: Document, method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    """(template, operation) of a path; literal segments go before parameters."""
    sent = segments(path)
    if sent is None:
        return None
    slash = path.endswith("/")
    found = []
    for template, item in document["paths"].items():
        parts = template.strip("/").split("/") if template.strip("/") else []
        if template.endswith("/") != slash or len(parts) != len(sent):
            continue
        if all("{" in part or part == one for part, one in zip(parts, sent, strict=True)):
            found.append((["{" in part for part in parts], template, item))
    for _, template, item in sorted(found, key=lambda one: one[0]):
        operation = item.get(method.lower()) or (item.get("get") if method == "HEAD" else None)
        if isinstance(operation, dict):
            return template, operation
    return None


def example_of(document: Document, operation: Mapping[str, Any], *, status: str = "", name: str = "") -> Example | None:
    """The answer of that status, else the first success; of several examples the named one, else the first."""
    responses = {str(code): part for code, part in (operation.get("responses") or {}).items()}
    successes = [code for code in responses if code.startswith("2")]
    code = status or next(iter(sorted(successes)), "")
    if code not in responses:
        return None
    number = int(code) if code.isdecimal() else 200
    content = (resolved(document, responses[code]) or {}).get("content") or {}
    for kind in sorted(content, key=lambda one: "json" not in one):
        media = content[kind] or {}
        return Example(status=number, kind=kind, value=_example(document, media, name))
    return Example(status=number)


def _example(document: Document, media: Mapping[str, Any], name: str) -> Any:
    several = media.get("examples") or {}
    if isinstance(several, dict) and several:
        one = resolved(document, several.get(name, next(iter(several.values()))))
        if isinstance(one, dict) and "value" in one:
            return one["value"]
    if "example" in media:
        return media["example"]
    return _of_schema(document, media.get("schema"), 0)


def _of_schema(document: Document, schema: Any, depth: int) -> Any:  # noqa: PLR0911 - one line a kind
    schema = resolved(document, schema)
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return None
    for said in ("example", "const", "default"):
        if said in schema:
            return schema[said]
    for several in ("examples", "enum"):
        if isinstance(schema.get(several), list) and schema[several]:
            return schema[several][0]
    if isinstance(parts := schema.get("allOf"), list):
        made = [_of_schema(document, part, depth + 1) for part in parts]
        objects = [one for one in made if isinstance(one, dict)]
        return {key: value for one in objects for key, value in one.items()} if objects or not made else made[0]
    for several in ("oneOf", "anyOf"):
        if isinstance(schema.get(several), list) and schema[several]:
            return _of_schema(document, schema[several][0], depth + 1)
    if isinstance(members := schema.get("properties"), dict):
        return {name: _of_schema(document, member, depth + 1) for name, member in members.items()}
    return _plain(document, schema, depth)


def _plain(document: Document, schema: Mapping[str, Any], depth: int) -> Any:
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "array":
        return [_of_schema(document, schema.get("items"), depth + 1)]
    if kind == "string":
        return _FORMATS.get(str(schema.get("format")), "text"[: schema.get("maxLength", 4)])
    least = schema.get("minimum", 1)
    return {"integer": least, "number": least, "boolean": True, "object": {}}.get(str(kind))
