"""Queries on another app's tables: reads, writes, joins, and walks from a row to rows of another app."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.facts import Chain, Named, Value
from strangler.analysis.lookups import hops
from strangler.analysis.project import Place, Project
from strangler.analysis.symbols import File, Symbol
from strangler.analysis.typed import Does, Use

_PATHS = (
    *("list_display", "list_filter", "list_select_related", "search_fields", "readonly_fields", "date_hierarchy"),
    *("ordering", "ordering_fields", "filterset_fields", "lookup_field", "lookup_fields"),
)

_FIELDS = frozenset({"field_name", "filter_field", "filter_fields", "sort_field"})
_WALKED = frozenset({"accessor", "lookup_field"})


def find(project: Project, file: File) -> Iterator[Coupling]:
    """Those of the chains in the file, and of the paths that its classes declare."""
    if file.module.is_migration:
        return
    for chain in file.facts.chains:
        for use in project.following.uses(file, chain):
            at = Place(file, use.line or chain.line, chain.scope)
            yield from _of(project, at, use)
            if use.does is Does.WRITE and use.detail in ("delete()", "adelete()"):
                yield from _cascades(project, at, use.model)
        yield from _declared(project, file, chain)
    for found in file.classes.values():
        label = project.following.class_model(Symbol(file.module.name, found.name, "class"))
        for name in _PATHS if label else ():
            at = Place(file, found.lines.get(name, found.line), found.name)
            for path in _texts(found.attributes.get(name)):
                for hop in hops(project.registry, label, path):
                    yield from _related(project, Kind.JOIN, at, (hop.source, hop.target), f"{name}: {path}")


def _declared(project: Project, file: File, chain: Chain) -> Iterator[Coupling]:
    """Paths that a column, filter or field of a class about a model is given, in the class itself."""
    call = chain.steps[-1]
    names = (_FIELDS | _WALKED) & call.keywords.keys() if call.called and chain.scope in file.classes else ()
    label = project.following.class_model(Symbol(file.module.name, chain.scope, "class")) if names else ""
    for name in sorted(names) if label else ():
        for path in _texts(call.keywords[name]):
            kind = Kind.NAVIGATION if name in _WALKED else Kind.JOIN
            for hop in hops(project.registry, label, path.replace(".", "__")):
                at = Place(file, chain.line, chain.scope)
                yield from _related(project, kind, at, (hop.source, hop.target), f"{name}: {path}")


def _of(project: Project, at: Place, use: Use) -> Iterator[Coupling]:
    if use.of:
        kind = Kind.JOIN if use.does is Does.JOIN else Kind.PER_ROW if use.each else Kind.NAVIGATION
        yield from _related(project, kind, at, (use.of, use.model), use.detail)
    elif use.does is not Does.WRITE or not _is_hidden(project, at):
        kind = Kind.WRITE if use.does is Does.WRITE else Kind.READ
        yield from project.coupling(kind, at, project.app_of_model(use.model), use.model, use.detail)


def _is_hidden(project: Project, at: Place) -> bool:
    """Whether a write is that of its own app's model, which another rule finds."""
    app = project.app_of(at.file).label
    return any(project.app_of_model(why.model) == app for why in project.occasions(at.file, at.scope))


def _cascades(project: Project, at: Place, label: str) -> Iterator[Coupling]:
    """One for each app in which rows go with the one that is deleted here."""
    fallen: dict[str, list[str]] = {}
    for other in project.cascades.get(label, ()):
        fallen.setdefault(project.app_of_model(other), []).append(other)
    for app, labels in fallen.items():
        if app != project.app_of_model(label):
            detail = f"delete() of {label}, which takes {', '.join(labels)} along"
            yield from project.coupling(Kind.HIDDEN_WRITE, at, app, labels[0], detail)


def _related(project: Project, kind: Kind, at: Place, models: tuple[str, str], detail: str) -> Iterator[Coupling]:
    """Between the apps of the two models; where that is one, of this place with it."""
    source, target = map(project.app_of_model, models)
    if source != target:
        yield from project.coupling_of_models(kind, at, models, detail)
    else:
        yield from project.coupling(kind, at, target, models[1], detail)


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str) and not isinstance(value, Named):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, dict):
        yield from value
