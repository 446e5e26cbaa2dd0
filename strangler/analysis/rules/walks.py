"""Walks over rows in templates, from variables that are called like a model and used like one; permissions there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.loops import fetched
from strangler.analysis.project import Project
from strangler.analysis.supposing import surely
from strangler.analysis.typed import Typed

_OPENS = re.compile(r"\{\{|\{%")
_CLOSES = {"{{": "}}", "{%": "%}"}
_LONGEST = 2_000
"""Characters of a tag: where it does not end within these, it is none."""
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_PATH = re.compile(r"(?<![\w.])([a-z_]\w*(?:\.\w+)+)")
_FOR = re.compile(r"-?\s*for\s+([\w,\s]+?)\s+in\s")


def find(project: Project) -> Iterator[Coupling]:
    """One for each step from a row to another's, unless all is of one app; in a loop n+1, unless it is fetched.

    Fetched is what code of the template's app fetches.
    """
    fetching = _fetching(project)
    for path in project.tree.templates:
        if (owner := project.template_owner(path)) is not None:
            yield from _of(project, path, owner, fetching.get(owner, frozenset()))


def _of(project: Project, path: str, owner: str, fetching: frozenset[str]) -> Iterator[Coupling]:
    loops: list[set[str]] = []
    for line, tag, inside in _tags(project.tree.text(path)):
        said = _QUOTED.sub(lambda text: "\n" * text[0].count("\n"), inside)
        for match in _PATH.finditer(said):
            found, at = match[1], (path, line + said.count("\n", 0, match.start()))
            first, *rest = found.removeprefix("request.").split(".")
            if first == "perms" and rest and project.apps.labelled(rest[0]) is not None and rest[0] != owner:
                target = ".".join(rest[:2])
                yield _coupling(Kind.PERMISSION, (owner, rest[0]), (path, target), at, "")
            looped = any(first in names for names in loops)
            for label, target, part in _walk(project, _starts(project, found, first, rest), rest):
                kind = Kind.PER_ROW if looped and part not in fetching else Kind.NAVIGATION
                apps, ends = (project.app_of_model(label), project.app_of_model(target)), (label, target)
                if apps[0] == apps[1]:  # of this template with it
                    apps, ends = (owner, apps[1]), (path, target)
                if apps[0] != apps[1]:
                    yield _coupling(kind, apps, ends, at, found)
        if (names := _FOR.match(tag)) is not None:
            loops.append({name.strip() for name in names[1].split(",")})
        elif tag.strip(" -") == "endfor" and loops:
            loops.pop()


def _tags(text: str) -> Iterator[tuple[int, str, str]]:
    """(line, the tag if it is one, what stands in the braces), in time that grows with the text."""
    line, seen = 1, 0
    for match in _OPENS.finditer(text):
        end = text.find(_CLOSES[match[0]], match.end(), match.end() + _LONGEST)
        if end >= 0:
            line, seen = line + text.count("\n", seen, match.start()), match.start()
            inside = text[match.end() : end]
            yield line, inside if match[0] == "{%" else "", inside


def _starts(project: Project, found: str, first: str, parts: list[str]) -> str:
    """The model whose row a variable is: what the code puts on requests, else the one that it is called like."""
    put = project.following.given.on_request(first) if found.startswith("request.") else None
    named = put.parts or (put,) if put is not None else ()
    labels = [one.label for one in named if one is not None and one.label] or project.registry.called(first)
    rows = tuple(Typed("row", label) for label in labels)
    row = surely(project.registry, Typed("perhaps", parts=rows), parts[0]) if parts else None
    return row.label if row is not None else ""


def _walk(project: Project, label: str, parts: list[str]) -> Iterator[tuple[str, str, str]]:
    """(from, to, by) for each step from a row to another, as far as rows go."""
    registry = project.registry
    for part in parts:
        if label not in registry.models:
            return
        relation, reverse = registry.inherited(label, part), registry.accessor(label, part)
        target = relation.target if relation is not None else reverse.label if reverse is not None else ""
        if not target:
            return
        yield label, target, part
        many = relation.kind.startswith("many") if relation is not None else reverse is not None and not reverse.one
        label = "" if many else target


def _fetching(project: Project) -> Mapping[str, frozenset[str]]:
    """For each app, the relations that its code fetches at once, by their names."""
    found: dict[str, set[str]] = {}
    for file in project.files():
        for chain in file.facts.chains:
            for path in fetched(chain.steps):
                found.setdefault(project.app_of(file).label, set()).update(path.split("__"))
    return {app: frozenset(names) for app, names in found.items()}


def _coupling(kind: Kind, apps: tuple[str, str], ends: tuple[str, str], at: tuple[str, int], detail: str) -> Coupling:
    return Coupling(
        kind=kind,
        source_app=apps[0],
        target_app=apps[1],
        source=ends[0],
        target=ends[1],
        path=at[0],
        line=at[1],
        detail=detail,
    )
