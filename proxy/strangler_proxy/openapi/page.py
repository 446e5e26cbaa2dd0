"""A page to browse a merged document: it stands alone, runs no script, and takes nothing of the document for HTML."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from strangler_proxy.openapi.document import METHODS, Document, resolved

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1.5rem; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
summary { cursor: pointer; padding: .4rem .6rem; display: flex; gap: .7rem; align-items: baseline; flex-wrap: wrap; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .35rem 0; }
details > div { border-top: 1px solid var(--line); padding: .2rem .9rem .8rem; }
.method { font: 600 .75rem/1.7 ui-monospace, monospace; min-width: 3.8rem; text-align: center; border-radius: .25rem; }
.get { background: #2f7d3b; color: #fff; } .post { background: #1f5fa8; color: #fff; }
.put, .patch { background: #9a5b00; color: #fff; } .delete { background: #a3262a; color: #fff; }
.options, .head, .trace { background: #555; color: #fff; }
code, pre { font: .85rem/1.45 ui-monospace, monospace; } .old code { text-decoration: line-through; }
.tag { font-size: .75rem; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .55rem; }
.quiet { opacity: .7; } nav { margin: .6rem 0 0; } nav a { margin-right: .9rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .2rem .6rem .2rem 0; vertical-align: top; }
th { font-weight: 600; font-size: .85rem; } h3 { font-size: .95rem; margin: .9rem 0 .2rem; }
pre { background: var(--soft); border-radius: .3rem; padding: .6rem; overflow: auto; margin: .3rem 0; }
"""


def page(document: Document) -> str:
    """HTML."""
    groups: dict[str, list[str]] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if isinstance(operation := item.get(method), dict):
                owner = str(operation.get("x-strangler-owner", ""))
                groups.setdefault(owner, []).append("".join(_operation(document, path, method, operation)))
    title = escape(str(document["info"]["title"]))
    links = "".join(f'<a href="#{escape(owner)}">{escape(owner)} ({len(groups[owner])})</a>' for owner in groups)
    sections = "".join(
        f'<h2 id="{escape(owner)}">{escape(owner)}</h2>{"".join(operations)}' for owner, operations in groups.items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
        f'<h1>{title}</h1><div class="quiet">What answers now, by its owner. The document: '
        f'<a href="openapi.json">openapi.json</a></div><nav>{links}</nav>{sections}</body></html>'
    )


def _operation(document: Document, path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    old = ' class="old"' if operation.get("deprecated") else ""
    yield f'<details{old}><summary><span class="method {method}">{method.upper()}</span><code>{escape(path)}</code>'
    yield f'<span class="quiet">{escape(str(operation.get("summary", "")))}</span>'
    for said, text in (
        ("x-strangler-version", "version {}"),
        ("x-strangler-move", "move {}"),
        ("x-strangler-candidate", "canary at {}"),
        ("x-strangler-transformed", "other shape than below"),
        ("deprecated", "deprecated"),
    ):
        if value := operation.get(said):
            yield f'<span class="tag">{escape(text.format(value))}</span>'
    yield "</summary><div>"
    if description := operation.get("description"):
        yield f"<p>{escape(str(description))}</p>"
    yield from _parameters(document, operation)
    body = resolved(document, operation.get("requestBody"))
    if isinstance(body, dict):
        yield "<h3>Request</h3>"
        yield from _content(document, body)
    for status, given in (operation.get("responses") or {}).items():
        response = resolved(document, given) or {}
        said = escape(str(response.get("description", "")))
        yield f'<h3>{escape(str(status))} <span class="quiet">{said}</span></h3>'
        yield from _content(document, response)
    yield "</div></details>"


def _parameters(document: Document, operation: dict[str, Any]) -> Iterator[str]:
    found = [resolved(document, one) for one in operation.get("parameters") or ()]
    if not found:
        return
    yield "<h3>Parameters</h3><table><tr><th>Name</th><th>In</th><th>Type</th><th></th></tr>"
    for one in found:
        if isinstance(one, dict):
            schema = resolved(document, one.get("schema")) or {}
            needed = " (required)" if one.get("required") else ""
            cells = (one.get("in"), schema.get("type", ""), one.get("description", ""))
            yield f"<tr><td><code>{escape(str(one.get('name')))}</code>{needed}</td>"
            yield "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>"
    yield "</table>"


def _content(document: Document, message: dict[str, Any]) -> Iterator[str]:
    for kind, media in (message.get("content") or {}).items():
        schema = (media or {}).get("schema") if isinstance(media, dict) else None
        shown = json.dumps(_short(document, schema, 6), indent=2, ensure_ascii=False)
        yield f'<div class="quiet">{escape(str(kind))}</div><pre>{escape(shown)}</pre>'


def _short(document: Document, schema: Any, depth: int) -> Any:
    """A schema as what it describes looks: objects by their members, lists by their items, others by their types."""
    schema = resolved(document, schema)
    if not isinstance(schema, dict) or depth == 0:
        return "..."
    if isinstance(members := schema.get("properties"), dict):
        return {name: _short(document, member, depth - 1) for name, member in members.items()}
    if "items" in schema:
        return [_short(document, schema["items"], depth - 1)]
    for several in ("oneOf", "anyOf", "allOf"):
        if isinstance(parts := schema.get(several), list):
            shown = [_short(document, part, depth - 1) for part in parts]
            return shown[0] if len(shown) == 1 else {several: shown}
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    kind = schema.get("type", "any")
    kinds = " | ".join(map(str, kind)) if isinstance(kind, list) else str(kind)
    return f"{kinds} ({schema['format']})" if "format" in schema else kinds
