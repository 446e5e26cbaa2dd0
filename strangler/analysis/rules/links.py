"""Names in texts: templates, routes, keys of the session and the cache, other apps' migrations."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.facts import Chain, Named, Value
from strangler.analysis.project import Place, Project
from strangler.analysis.symbols import File

_REVERSES = frozenset({"reverse", "reverse_lazy", "redirect", "resolve_url"})
_ENDINGS = (".html", ".txt", ".jinja", ".jinja2", ".xml")


def find(project: Project, file: File) -> Iterator[Coupling]:
    """Those of the file's chains and classes."""
    if file.module.is_migration:
        yield from _migrations(project, file)
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


def _migrations(project: Project, file: File) -> Iterator[Coupling]:
    for found in file.classes.values():
        if found.name != "Migration":
            continue
        for attribute in ("dependencies", "run_before"):
            value = found.attributes.get(attribute)
            for part in value if isinstance(value, tuple) else ():
                if isinstance(part, tuple) and len(part) == 2 and isinstance(part[0], str):
                    app = str(part[0])
                    if project.apps.labelled(app) is not None:
                        at = Place(file, found.lines[attribute])
                        yield from project.coupling(Kind.MIGRATION, at, app, f"{app}.{part[1]}")


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str) and not isinstance(value, Named):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _texts(part)


def shared_keys(project: Project) -> Iterator[Coupling]:
    """Keys of the session and the cache that more than one app uses."""
    used: dict[tuple[Kind, str], list[tuple[File, Chain]]] = {}
    for file in project.files():
        for chain in file.facts.chains:
            for kind, key in _keys(chain):
                used.setdefault((kind, key), []).append((file, chain))
    for (kind, key), places in used.items():
        apps = {project.app_of(file).label for file, _ in places if not file.module.is_test}
        first = next((project.app_of(file).label for file, chain in places if chain.stored), min(apps, default=""))
        if len(apps) > 1:
            for file, chain in places:
                yield from project.coupling(kind, Place(file, chain.line, chain.scope), first, key)


def _keys(chain: Chain) -> Iterator[tuple[Kind, str]]:
    names = [step.name for step in chain.steps]
    for number, step in enumerate(chain.steps[1:], 1):
        before = names[number - 1]
        given = step.args[0] if step.called and step.args else None
        key = step.name[1:-1] if step.name.startswith("[") else given
        if isinstance(key, str) and key and not isinstance(key, Named) and len(key) > 2:
            if before == "session" and (step.name.startswith("[") or step.name in ("get", "pop", "setdefault")):
                yield Kind.SESSION, key
            elif before in ("cache", "caches") and step.name in ("get", "set", "add", "delete", "get_or_set", "incr"):
                yield Kind.CACHE, key
