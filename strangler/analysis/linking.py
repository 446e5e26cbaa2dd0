"""The other sides of relations: what models call the rows that refer to theirs."""

from __future__ import annotations

from strangler.analysis.models import Model, Registry, Relation, Reverse
from strangler.analysis.relating import relate_outside
from strangler.analysis.users import DJANGOS_BASE, DJANGOS_USER


def link(registry: Registry) -> None:
    """Find the other sides of all relations."""
    registry.accessors.clear()
    registry.queries.clear()
    # Somebody may ask for the user where no key refers to it.
    user = registry.models.setdefault(
        registry.user, Model(label=registry.user, app=registry.user.partition(".")[0], symbol=None)
    )
    if user.symbol is None and user.label == DJANGOS_USER:
        relate_outside(user, DJANGOS_BASE)
    for model in list(registry.models.values()):
        if not model.abstract and not model.swapped:
            for relation in model.relations.values():
                _reverse(registry, model, relation)


def _reverse(registry: Registry, model: Model, relation: Relation) -> None:
    if not relation.target:
        return
    other = registry.models.get(relation.target)
    if other is None:
        app, _, _ = relation.target.rpartition(".")
        other = registry.models[relation.target] = Model(label=relation.target, app=app, symbol=None)
    found = Reverse(label=model.label, relation=relation, one=relation.kind == "one-to-one")
    if relation.accessor:
        registry.accessors.setdefault(relation.target, {})[relation.accessor] = found
    if relation.query:
        registry.queries.setdefault(relation.target, {})[relation.query] = found
