"""Keys between tables of two apps: foreign keys and their kin, generic ones, and columns called like keys."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.lookups import Hop, hops
from strangler.analysis.models import Model, Relation
from strangler.analysis.project import Place, Project
from strangler.analysis.symbols import File, Symbol

_KINDS = {
    "foreign key": Kind.FOREIGN_KEY,
    "one-to-one": Kind.ONE_TO_ONE,
    "many-to-many": Kind.MANY_TO_MANY,
    "generic key": Kind.GENERIC_KEY,
    "generic relation": Kind.GENERIC_KEY,
}
_KEY_ENDINGS = frozenset({"id", "ids", "pk", "uuid"})


def find(project: Project, file: File) -> Iterator[Coupling]:
    """Those of the models that the file defines. What an abstract model states is its heirs'."""
    made = project.registry.made_in(file.module.name)
    stated = (project.registry.of(Symbol(file.module.name, name, "class")) for name in file.classes)
    for model in (*made, *stated):
        if model is not None and not model.abstract and not model.proxy and not model.swapped:
            yield from _of(project, model)


def _of(project: Project, model: Model) -> Iterator[Coupling]:
    assert model.symbol is not None
    for relation in model.relations.values():
        if not relation.stated and (relation.parent or not project.is_here(relation.target)):
            continue  # a parent's table is told below; what another package's base brings ties nothing of the project
        at = Place(project.symbols.files[relation.module], relation.line)
        kind, target = _KINDS[relation.kind], relation.target or "contenttypes.ContentType"
        detail = relation.name if relation.constrained else f"{relation.name}, no constraint"
        yield from project.coupling_of_models(kind, at, (model.label, target), detail)
        for path, hop in _limits(project, relation):
            models = (hop.source, hop.target)
            yield from project.coupling_of_models(Kind.JOIN, at, models, f"limit_choices_to: {path}")
        if relation.through:
            detail = f"{relation.name}, through"
            yield from project.coupling_of_models(kind, at, (model.label, relation.through), detail)
    where = project.symbols.files[model.symbol.module]
    for parent in model.parents:
        at = Place(where, model.line)
        yield from project.coupling_of_models(Kind.INHERITANCE, at, (model.label, parent), "table")
    owner = project.tables.get(model.table, model.label)
    if owner != model.label:
        at = Place(where, model.line)
        yield from project.coupling_of_models(Kind.INHERITANCE, at, (model.label, owner), f"the table {model.table}")
    for column, line in model.columns.items():
        name, _, ending = column.rpartition("_")
        if ending in _KEY_ENDINGS and (label := _named(project, name)):
            yield from project.coupling_of_models(Kind.SOFT_KEY, Place(where, line), (model.label, label), column)


def _limits(project: Project, relation: Relation) -> Iterator[tuple[str, Hop]]:
    """What the choice of a key goes by, where that is a dictionary or Q()."""
    for found in project.symbols.files[relation.module].facts.classes:
        value = found.attributes.get(relation.name) if found.lines.get(relation.name) == relation.line else None
        given = value[-1].keywords.get("limit_choices_to") if isinstance(value, list) else None
        if isinstance(given, list) and given[-1].name == "Q":
            given = given[-1].keywords
        for path in given if isinstance(given, dict) else ():
            for hop in hops(project.registry, relation.target, path):
                yield path, hop


def _named(project: Project, name: str) -> str:
    """The one model that is called so; empty for none or several."""
    wanted = name.replace("_", "").lower()
    found = [model.label for model in project.registry.real() if model.label.rpartition(".")[2].lower() == wanted]
    return found[0] if len(found) == 1 else ""
