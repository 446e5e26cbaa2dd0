"""The documents of all services as one: what clients see behind the proxy, with who answers it now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from strangler_proxy.gateway.policies import AmbiguousPath, Effective
from strangler_proxy.openapi import components
from strangler_proxy.openapi.document import METHODS, Document
from strangler_proxy.patterns import segments, shape
from strangler_proxy.routes import SAFE_METHODS, RouteTable

PARTS = ("parameters", "summary", "description")
"""What a path says for all its operations."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A path as clients see it, and the version that they speak there."""

    path: str
    version: str = ""
    deprecated: bool = False
    changed: bool = False
    """A transformation makes the shapes others than the document says."""


@dataclass(frozen=True, kw_only=True)
class _Source:
    name: str
    document: Document
    clashes: set[tuple[str, str]]


def merged(documents: Mapping[str, Document], table: RouteTable, title: str) -> tuple[Document, list[str]]:
    """(one document, what is wrong in sentences): of each path what its owner's document says. Pure."""
    known = {name: documents[name] for name in sorted(documents) if name in {one.name for one in table.upstreams}}
    clashes = components.clashing(known)
    paths: dict[str, dict[str, Any]] = {}
    problems = [f'the document of "{name}" is of no upstream' for name in sorted(set(documents) - set(known))]
    taken: set[str] = set()
    for name, document in known.items():
        for path, item in sorted(document["paths"].items()):
            owner, about, candidate = _owner(table, path)
            if owner != name:
                if owner in known and _form(path) not in map(_form, known[owner]["paths"]):
                    problems.append(f'"{path}" is owned by "{owner}", whose document lacks it; "{name}" has it')
                continue
            source = _Source(name=name, document=document, clashes=clashes)
            for method in METHODS:
                if method in item:
                    operation = {**_operation(source, item, method, taken), **about}
                    if candidate and method.upper() in SAFE_METHODS:
                        operation["x-strangler-candidate"] = candidate
                    for seen in _seen(table, path):
                        paths.setdefault(seen.path, {})[method] = {**operation, **_said(seen, operation)}
    whole = {
        "openapi": max((one["openapi"] for one in known.values()), default="3.0.3"),
        "info": {"title": title, "version": str(table.gateway.revision)},
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": components.merged(known, clashes),
    }
    return whole, problems


def _owner(table: RouteTable, path: str) -> tuple[str, dict[str, Any], str]:
    """Who answers there, what the operations say of it, and who else reads go to."""
    found = table.route_of(path)
    if found is None:
        return table.default, {"x-strangler-owner": table.default}, ""
    move, pattern = found
    about = {"x-strangler-owner": move.owner, "x-strangler-move": move.move, "x-strangler-route": pattern}
    return move.owner, about, move.candidate if move.weight else ""


def _operation(source: _Source, item: dict[str, Any], method: str, taken: set[str]) -> dict[str, Any]:
    given = {**{part: item[part] for part in PARTS if part in item}, **item[method]}
    if "parameters" in item and "parameters" in item[method]:
        given["parameters"] = [*item["parameters"], *item[method]["parameters"]]
    if "security" not in given and "security" in source.document:
        given["security"] = source.document["security"]
    made: dict[str, Any] = components.renamed(given, source.name, source.clashes)
    if (called := made.get("operationId")) is not None:
        made["operationId"] = f"{source.name}.{called}" if called in taken else called
        taken.add(made["operationId"])
    return made


def _said(seen: Seen, operation: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if seen.version:
        said["x-strangler-version"] = seen.version
        if called := operation.get("operationId"):
            said["operationId"] = f"{called}.{seen.version}"
    if seen.deprecated:
        said["deprecated"] = True
    if seen.changed:
        said["x-strangler-transformed"] = True
    return said


def _seen(table: RouteTable, path: str) -> Iterator[Seen]:
    """Where clients see an upstream's path: for each version of the interface, or as it is."""
    policy = _policy(table, path)
    changed = policy is not None and policy.transform is not None
    covered = False
    for one in table.gateway.policies:
        if one.versions is None:
            continue
        for version in one.versions.known:
            rest = _below(version.path or one.path, path)
            if rest is None or version.gone or version.stage:
                continue
            covered = covered or not version.path
            by_path = one.versions.by == "path"
            there = f"{one.path}{version.name}/{rest}" if by_path else f"{one.path}{rest}"
            default = version.name == one.versions.default
            reshaped = changed or version.transform is not None
            seen = Seen(path=there, version=version.name, deprecated=bool(version.deprecated), changed=reshaped)
            if by_path or default or not one.versions.default:
                yield seen
            if by_path and default:
                yield Seen(path=f"{one.path}{rest}", version=version.name, deprecated=seen.deprecated, changed=reshaped)
    if not covered:
        yield Seen(path=path, changed=changed)


def _policy(table: RouteTable, path: str) -> Effective | None:
    try:
        return table.gateway.policy("GET", path)
    except AmbiguousPath:
        return None


def _below(pattern: str, path: str) -> str | None:
    """What follows the pattern in the path; None where it is not below it. Placeholders are none of a version's."""
    parts = shape(pattern)
    sent = segments(path)
    if sent is None or tuple(sent[: len(parts)]) != parts:
        return None
    rest = "/".join(path.strip("/").split("/")[len(parts) :]) if path.strip("/") else ""
    return rest + "/" if rest and path.endswith("/") else rest


def _form(path: str) -> tuple[str, ...]:
    return tuple("{}" if part.startswith("{") else part for part in path.strip("/").split("/"))
