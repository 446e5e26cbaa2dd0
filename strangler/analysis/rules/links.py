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
        call, at = chain.steps[-1], Place(file, chain.line, chain.scope)
        if not call.called:
            continue
        for value in (*call.args, *call.keywords.values()):
            for text in _texts(value):
                if call.name in _REVERSES:
                    yield from _route(project, at, text)
                if text.endswith(_ENDINGS):
                    yield from _template(project, at, text)
    for found in file.classes.values():
        for name, value in found.attributes.items():
            for text in _texts(value):
                if "template" in name and text.endswith(_ENDINGS):
                    yield from _template(project, Place(file, found.lines[name], found.name), text)


def _route(project: Project, at: Place, name: str) -> Iterator[Coupling]:
    if (app := project.routes.get(name)) is not None:
        yield from project.coupling(Kind.URL, at, app, name)


def _template(project: Project, at: Place, name: str) -> Iterator[Coupling]:
    if (app := project.templates.get(name)) is not None:
        yield from project.coupling(Kind.TEMPLATE, at, app, name)


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str) and not isinstance(value, Named):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _texts(part)
