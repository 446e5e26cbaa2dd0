"""Classes that are about another app's model: forms, views, serializers, filters; and what their paths lead to."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.analysis import guessing
from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.facts import Class, Named, Step, Value
from strangler.analysis.formsets import FACTORIES, model_given
from strangler.analysis.lookups import hops
from strangler.analysis.project import Place, Project
from strangler.analysis.symbols import File, Symbol

_WRITE = (
    *("ModelForm", "ModelFormSet", "CreateView", "UpdateView", "DeleteView", "ModelViewSet", "ModelResource"),
    *("CreateAPIView", "UpdateAPIView", "DestroyAPIView"),
)
_READ = ("View", "ViewSet", "Serializer", "FilterSet", "ObjectType", "Document", "Table", "Index", "Feed", "Sitemap")


def find(project: Project, file: File) -> Iterator[Coupling]:
    """Reads and writes by declaration, and the paths that they declare."""
    if file.module.is_migration:
        return
    for found in file.classes.values():
        symbol = Symbol(file.module.name, found.name, "class")
        ancestors = [base.name.rpartition(".")[2] for base in project.symbols.ancestors(symbol)[1:]]
        yield from _about(project, file, found, ancestors)
        label = project.following.class_model(symbol)
        if label and any(name.endswith("Serializer") for name in ancestors):
            yield from _sources(project, file, found, label)
        if label and any(name.endswith("FilterSet") for name in ancestors):
            yield from _paths(project, Place(file, found.line, found.name), label, "fields", found.meta.get("fields"))
        if (model := project.registry.of(symbol)) is not None and not model.abstract:
            yield from _paths(
                project, Place(file, found.line, found.name), model.label, "ordering", found.meta.get("ordering")
            )
    for chain in file.facts.chains:
        call = chain.steps[-1]
        value = model_given(call) if call.called and call.name in FACTORIES else None
        if isinstance(value, Named) and (label := project.following.model_of(file, value, chain.scope)):
            at = Place(file, chain.line, chain.scope)
            yield from project.coupling(Kind.WRITE, at, project.app_of_model(label), label, f"{call.name}()")


def _about(project: Project, file: File, found: Class, ancestors: list[str]) -> Iterator[Coupling]:
    writes = next((name for name in ancestors if name.endswith(_WRITE)), "")
    reads = next((name for name in ancestors if name.endswith(_READ)), "")
    for name, value in (("model", found.attributes.get("model")), ("@model", found.meta.get("model"))):
        if isinstance(value, Named | str) and (writes or reads) and (label := project.following.model_of(file, value)):
            kind = Kind.WRITE if writes else Kind.READ
            at = Place(file, found.lines.get(name, found.line), found.name)
            yield from project.coupling(kind, at, project.app_of_model(label), label, f"{writes or reads} of it")
    value = found.attributes.get("queryset")  # that it is read, its chain says
    if writes and isinstance(value, list) and (label := project.following.model_of(file, value, found.name)):
        at = Place(file, found.lines["queryset"], found.name)
        yield from project.coupling(Kind.WRITE, at, project.app_of_model(label), label, f"{writes} of it")


def _sources(project: Project, file: File, found: Class, label: str) -> Iterator[Coupling]:
    """A serializer's field with source="product.name", of rows, or that is a serializer, walks to other rows."""
    for name, value in found.attributes.items():
        if not isinstance(value, list) or not value[-1].called:
            continue
        given = value[-1].keywords.get("source", name)
        source = given if isinstance(given, str) and not isinstance(given, Named) else name
        at, model, (*parts, last) = Place(file, found.lines[name], found.name), label, source.split(".")
        if value[-1].keywords.get("many") is True or _is_serializer(project, file, value):
            parts.append(last)
        for part in parts:
            relation, reverse = project.registry.inherited(model, part), project.registry.accessor(model, part)
            target = relation.target if relation is not None else reverse.label if reverse is not None else ""
            if not target:
                break
            yield from project.coupling_of_models(Kind.NAVIGATION, at, (model, target), f"source: {source}")
            model = target


def _is_serializer(project: Project, file: File, value: list[Step]) -> bool:
    symbol = project.symbols.find_in(file.module.name, ".".join(step.name for step in value))
    return symbol.kind == "class" and guessing.is_form(project.symbols, symbol)


def _paths(project: Project, at: Place, label: str, name: str, value: Value) -> Iterator[Coupling]:
    for path in value if isinstance(value, tuple | dict) else ():
        if isinstance(path, str) and not isinstance(path, Named):
            for hop in hops(project.registry, label, path):
                models = (hop.source, hop.target)
                yield from project.coupling_of_models(Kind.JOIN, at, models, f"{name}: {path}")
