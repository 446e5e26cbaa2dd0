"""Whose rows go with a row that is deleted, over apps' borders, by what the keys say of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from strangler.analysis.models import Registry, Relation

_CHANGES = frozenset({"SET_NULL", "SET_DEFAULT", "SET"})


def cascades(registry: Registry) -> Mapping[str, tuple[str, ...]]:
    """For each model whose rows others refer to: the models whose rows are deleted with them, or changed."""
    referring: dict[str, list[tuple[str, Relation]]] = {}
    for model in registry.real():
        for relation in model.relations.values():
            if relation.kind in ("foreign key", "one-to-one") and relation.target:
                referring.setdefault(relation.target, []).append((model.label, relation))
    return {label: tuple(found) for label in referring if (found := sorted(set(_from(referring, label, {label}))))}


def _from(referring: Mapping[str, list[tuple[str, Relation]]], label: str, seen: set[str]) -> Iterator[str]:
    for other, relation in referring.get(label, ()):
        if relation.on_delete in _CHANGES:
            yield other
        elif "cascade" in relation.on_delete.lower():
            yield other
            if other not in seen:
                seen.add(other)
                yield from _from(referring, other, seen)
