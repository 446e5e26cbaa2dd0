"""Components of several documents under names that mean one thing each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from strangler_proxy.openapi.document import Document, references

_Name = tuple[str, str]
"""Section ("schemas") and name."""


def clashing(documents: Mapping[str, Document]) -> set[_Name]:
    """Names that do not mean the same in all documents that have them, by themselves or by what they refer to."""
    found: dict[_Name, list[Any]] = {}
    for document in documents.values():
        for section, parts in document.get("components", {}).items():
            for name, part in parts.items():
                found.setdefault((section, name), []).append(part)
    shared = {name: parts for name, parts in found.items() if len(parts) > 1}
    clashes = {name for name, parts in shared.items() if any(part != parts[0] for part in parts)}
    while True:
        more = {
            name
            for name, parts in shared.items()
            if name not in clashes and any(_named(reference) in clashes for reference in references(parts[0]))
        }
        if not more:
            return clashes
        clashes |= more


def renamed(value: Any, service: str, clashes: set[_Name]) -> Any:
    """A document's part with its references to clashing names as named() has them."""
    if isinstance(value, list):
        return [renamed(part, service, clashes) for part in value]
    if not isinstance(value, dict):
        return value
    made = {key: renamed(part, service, clashes) for key, part in value.items()}
    if isinstance(reference := made.get("$ref"), str):
        made["$ref"] = _moved(reference, service, clashes)
    if isinstance(security := made.get("security"), list):
        made["security"] = [_schemes(one, service, clashes) for one in security]
    if isinstance(discriminator := made.get("discriminator"), dict) and isinstance(discriminator.get("mapping"), dict):
        mapping = {key: _moved(str(part), service, clashes) for key, part in discriminator["mapping"].items()}
        made["discriminator"] = {**discriminator, "mapping": mapping}
    return made


def merged(documents: Mapping[str, Document], clashes: set[_Name]) -> dict[str, dict[str, Any]]:
    """All components of all documents."""
    made: dict[str, dict[str, Any]] = {}
    for service, document in documents.items():
        for section, parts in document.get("components", {}).items():
            for name, part in parts.items():
                made.setdefault(section, {})[named(section, name, service, clashes)] = renamed(part, service, clashes)
    return made


def named(section: str, name: str, service: str, clashes: set[_Name]) -> str:
    """A component's name among those of all."""
    return f"{service}.{name}" if (section, name) in clashes else name


def _named(reference: str) -> _Name:
    parts = reference.split("/")
    return (parts[2], parts[3]) if len(parts) > 3 and parts[1] == "components" else ("", "")


def _moved(reference: str, service: str, clashes: set[_Name]) -> str:
    if not reference.startswith("#/"):
        return named("schemas", reference, service, clashes)
    parts = reference.split("/")
    if _named(reference) in clashes:
        parts[3] = f"{service}.{parts[3]}"
    return "/".join(parts)


def _schemes(requirement: Any, service: str, clashes: set[_Name]) -> Any:
    if not isinstance(requirement, dict):
        return requirement
    return {named("securitySchemes", name, service, clashes): scopes for name, scopes in requirement.items()}
