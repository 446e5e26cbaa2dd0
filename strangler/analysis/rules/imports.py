"""Imports of another app's modules: at the top of a module, within a function, for types alone, or by a text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.facts import Chain, Named, Step
from strangler.analysis.project import Place, Project
from strangler.analysis.symbols import File

_KINDS = {"module": Kind.IMPORT, "function": Kind.LATE_IMPORT, "typing": Kind.TYPE_IMPORT}
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
_LOADERS = frozenset({"import_string", "import_module", "get_class", "get_classes", "include"})


def find(project: Project, file: File) -> Iterator[Coupling]:
    """One for each line and module; its detail are the names that are taken."""
    if file.module.is_migration:
        return
    taken: dict[tuple[int, str, str], list[str]] = {}
    for found in file.facts.imports:
        target, rest = _module(project, found.target)
        if target and found.where in _KINDS:
            taken.setdefault((found.line, found.where, target), []).append(rest)
    for (line, where, target), names in taken.items():
        app = project.apps.of(target).label
        detail = ", ".join(sorted(filter(None, names)))
        yield from project.coupling(_KINDS[where], Place(file, line), app, target, detail)
    for chain in file.facts.chains:
        yield from _by_text(project, file, chain)


def _by_text(project: Project, file: File, chain: Chain) -> Iterator[Coupling]:
    for call in chain.steps:
        at = Place(file, call.line or chain.line, chain.scope)
        if call.called and (label := project.registry.loaded(call)) in project.registry.models:
            yield from project.coupling(Kind.STRING_IMPORT, at, project.app_of_model(label), label)
        elif call.called and call.name in _LOADERS:
            yield from _by_loader(project, at, call)


def _by_loader(project: Project, at: Place, call: Step) -> Iterator[Coupling]:
    given = call.args[0] if call.args and isinstance(call.args[0], tuple) else call.args  # include((module, namespace))
    texts = [arg for arg in given if isinstance(arg, str) and not isinstance(arg, Named)]
    if texts and _DOTTED.fullmatch(texts[0]):
        ending = project.symbols.ending(texts[0])
        target = _module(project, texts[0])[0] or (ending.module.name if ending is not None else "")
        if target:
            detail = "" if call.name == "include" else ".".join(texts[1:2])
            yield from project.coupling(Kind.STRING_IMPORT, at, project.apps.of(target).label, target, detail)


def _module(project: Project, dotted: str) -> tuple[str, str]:
    """(the project's module that a dotted name leads to, what is left of the name); not where that is defined."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        file = project.symbols.module(".".join(parts[:length]))
        if file is not None:
            return file.module.name, ".".join(parts[length:])
    return "", ""
