"""Classes whose base is another app's, what is added to such, and what the admin of one app shows of another."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.facts import Chain, Named, Value
from strangler.analysis.project import Place, Project
from strangler.analysis.symbols import File, Symbol


def find(project: Project, file: File) -> Iterator[Coupling]:
    """Bases, registrations and inlines."""
    if file.module.is_migration:
        return
    for found in file.classes.values():
        symbol = Symbol(file.module.name, found.name, "class")
        for base in project.symbols.bases(symbol):
            if base.kind == "class":
                app = project.apps.of(base.module).label
                at = Place(file, found.line, found.name)
                yield from project.coupling(Kind.INHERITANCE, at, app, base.dotted, "class")
        if _is_admin(project, symbol) and (label := project.following.class_model(symbol)):
            yield from _admin(project, Place(file, found.line, found.name), label)
        for decorator in found.decorators:
            yield from _registered(project, file, decorator)
    for chain in file.facts.chains:
        yield from _registered(project, file, chain)
        yield from _added(project, file, chain)


def _is_admin(project: Project, symbol: Symbol) -> bool:
    names = (base.name for base in project.symbols.ancestors(symbol)[1:] if base.kind == "outside")
    return any(name.endswith(("Admin", "Inline")) for name in names)


def _registered(project: Project, file: File, chain: Chain) -> Iterator[Coupling]:
    names = [step.name for step in chain.steps]
    if names[-1] != "register" or not chain.steps[-1].called or not {"admin", "site"} & set(names[:-1]):
        return
    for value in chain.steps[-1].args:
        for part in _parts(value):
            if label := project.following.model_of(file, part):
                yield from _admin(project, Place(file, chain.line), label)


def _added(project: Project, file: File, chain: Chain) -> Iterator[Coupling]:
    """Model.add_to_class("name", ...): a part of the other app's class is made here."""
    *before, call = chain.steps
    if call.name == "add_to_class" and call.called and before:
        at = project.following.type_of(file, chain.scope, before)
        if at is not None and at.what == "model":
            name = call.keywords.get("name", call.args[0] if call.args else "")
            place = Place(file, chain.line, chain.scope)
            app = project.app_of_model(at.label)
            yield from project.coupling(Kind.INHERITANCE, place, app, at.label, f"adds {name}")


def _admin(project: Project, at: Place, label: str) -> Iterator[Coupling]:
    yield from project.coupling(Kind.ADMIN, at, project.app_of_model(label), label)


def _parts(value: Value) -> Iterator[Value]:
    if isinstance(value, tuple):
        yield from value
    elif isinstance(value, Named):
        yield value
