"""Names in texts: templates and routes."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.facts import Named, Value
from strangler.analysis.project import Place, Project
from strangler.analysis.symbols import File

_REVERSES = frozenset({"reverse", "reverse_lazy", "redirect", "resolve_url"})
_ENDINGS = (".html", ".txt", ".jinja", ".jinja2", ".xml")


def find(project: Project, file: File) -> Iterator[Coupling]:
    """Those of the file's chains and classes."""
    if file.module.is_migration:
        return
    for chain in file.facts.chains:
        for step in chain.steps:
            at = Place(file, step.line or chain.line, chain.scope)
            for text in _texts((*step.args, *step.keywords.values())) if step.called else ():
                yield from _route(project, at, text, surely=step.name in _REVERSES)
                yield from _template(project, at, text)
    for line, scope, text in file.facts.held:
        yield from _route(project, Place(file, line, scope), text)
        yield from _template(project, Place(file, line, scope), text)
    for found in file.classes.values():
        for name, value in found.attributes.items():
            at = Place(file, found.lines[name], found.name)
            for text in _texts(value):
                yield from _route(project, at, text)
                if "template" in name:
                    yield from _template(project, at, text)


def _route(project: Project, at: Place, name: str, *, surely: bool = False) -> Iterator[Coupling]:
    if (surely or ":" in name) and (app := project.routes.owner(name, surely=surely)) is not None:
        yield from project.coupling(Kind.URL, at, app, name)


def _template(project: Project, at: Place, name: str) -> Iterator[Coupling]:
    if name.endswith(_ENDINGS) and (app := project.templates.get(name)) is not None:
        yield from project.coupling(Kind.TEMPLATE, at, app, name)


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str) and not isinstance(value, Named):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, dict):
        yield from _texts(tuple(value.values()))
