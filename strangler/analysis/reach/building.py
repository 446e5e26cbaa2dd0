"""From a folder to who uses what in it. Nothing is run or changed; what was found is kept by the files' content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from strangler.analysis.kept import Kept
from strangler.analysis.mapping import from_project
from strangler.analysis.project import Project
from strangler.analysis.reach.resolving import Resolver
from strangler.analysis.reach.rules import classes, code, data, messages, pages, templates, tests
from strangler.analysis.reach.usage import Usage
from strangler.analysis.symbols import File
from strangler.analysis.telling import Tell, nobody

Rule = Callable[[Usage, Resolver, File], None]
RULES: tuple[Rule, ...] = (code.find, classes.find, data.find, messages.find, templates.find)


@dataclass(frozen=True, kw_only=True)
class State:
    """A project at one moment."""

    usage: Usage
    modules: dict[str, str]
    """Names of modules by their paths."""
    apps: dict[str, str]
    """Labels of apps by the names of modules."""
    templates: dict[str, str]
    """The names under which templates are loaded, by their paths."""
    unread: tuple[str, ...]


def read_state(root: Path, kept: Kept, tell: Tell = nobody) -> State:
    """Who uses what in the project below a folder. Raises NoProject."""
    return from_project(root, kept, b"reach", _state, tell=tell)


def _state(project: Project, unread: tuple[str, ...]) -> State:
    resolver, usage = Resolver(project=project), Usage()
    for file in project.files():
        if not file.module.is_migration:
            for rule in RULES:
                rule(usage, resolver, file)
    data.of_all(usage, resolver)
    messages.entries(usage, resolver)
    templates.of_templates(usage, resolver)
    routes, admin = pages.routes(usage, resolver), pages.admin(usage, resolver)
    tests.find(usage, resolver, routes, admin)
    return State(
        usage=usage,
        modules={file.module.path: name for name, file in project.symbols.files.items()},
        apps={name: project.app_of(file).label for name, file in project.symbols.files.items()},
        templates=resolver.templates,
        unread=unread,
    )
