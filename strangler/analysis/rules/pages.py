"""What templates of one app take of another: its templates, its tag libraries, its routes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.project import Project
from strangler.analysis.tags import tags

_TAGS = frozenset({"url", "include", "extends", "load", "from", "import"})
_QUOTED = re.compile(r"""["']([^"'\s]+)["']""")


def find(project: Project) -> Iterator[Coupling]:
    """Those of all templates whose app is known."""
    libraries = dict(_libraries(project))
    for path in project.tree.templates:
        owner = project.template_owner(path)
        if owner is None:
            continue
        for line, tag, rest in tags(project.tree.text(path)):
            find_in = _targets if tag in _TAGS else _named
            for kind, app, target in find_in(project, libraries, tag, rest):
                if app != owner:
                    yield Coupling(
                        kind=kind, source_app=owner, target_app=app, source=path, target=target, path=path, line=line
                    )


def _targets(project: Project, libraries: dict[str, str], tag: str, rest: str) -> Iterator[tuple[Kind, str, str]]:
    if tag == "load":
        for name in rest.partition(" from ")[2].split() or rest.split():
            if name in libraries:
                yield Kind.TAG_LIBRARY, libraries[name], name
        return
    quoted = _QUOTED.match(rest)
    if quoted is None:
        return
    if tag == "url":
        if (app := project.routes.owner(quoted[1], surely=True)) is not None:
            yield Kind.URL, app, quoted[1]
    elif (app := project.templates.get(quoted[1])) is not None:
        yield Kind.TEMPLATE, app, quoted[1]


def _named(project: Project, libraries: dict[str, str], tag: str, rest: str) -> Iterator[tuple[Kind, str, str]]:
    """A tag of the project's own that is given a route's name, or the dotted name of something."""
    for text in _QUOTED.findall(rest):
        if (app := project.routes.owner(text)) is not None:
            yield Kind.URL, app, text
        elif (symbol := project.symbols.named(text)) is not None:
            yield Kind.STRING_IMPORT, project.apps.of(symbol.module).label, symbol.dotted


def _libraries(project: Project) -> Iterator[tuple[str, str]]:
    for file in project.files():
        parts = file.module.name.split(".")
        if "templatetags" in parts[:-1]:
            yield parts[-1], project.app_of(file).label
