"""Writes that nobody sees who saves a row: other apps' rows that its save() or a receiver of its signals changes."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.facts import Chain
from strangler.analysis.following import Does, Use
from strangler.analysis.project import Place, Project
from strangler.analysis.receivers import Occasion
from strangler.analysis.symbols import File, Symbol

_DEEPEST = 3
"""Calls on the way from the occasion to the write."""


def find(project: Project, file: File) -> Iterator[Coupling]:
    """One for each line and model, from the model that is saved to the one whose rows are written."""
    if file.module.is_migration:
        return
    for chain in file.facts.chains:
        why = project.occasions(file, chain.scope)
        if not why:
            continue
        for use in project.following.uses(file, chain):
            if use.does is Does.WRITE:
                yield from _hidden(
                    project, Place(file, use.line or chain.line, chain.scope), why, use.model, use.detail
                )
        for symbol in _called(project, file, chain):
            for use in _writes(project, symbol, {symbol}, _DEEPEST):
                detail = f"by {symbol.dotted}"
                yield from _hidden(project, Place(file, chain.line, chain.scope), why, use.model, detail)


def _hidden(project: Project, at: Place, why: list[Occasion], model: str, detail: str) -> Iterator[Coupling]:
    for occasion in why:
        if occasion.model != model:
            models = (occasion.model, model)
            yield from project.coupling_of_models(Kind.HIDDEN_WRITE, at, models, f"{occasion.why}: {detail}")


def _writes(project: Project, symbol: Symbol, seen: set[Symbol], left: int) -> Iterator[Use]:
    """The writes of a function and of those that it calls."""
    file = project.symbols.file_of(symbol)
    for chain in file.facts.chains:
        if chain.scope != symbol.name and not chain.scope.startswith(f"{symbol.name}."):
            continue
        yield from (use for use in project.following.uses(file, chain) if use.does is Does.WRITE)
        for called in _called(project, file, chain) if left else ():
            if called not in seen:
                seen.add(called)
                yield from _writes(project, called, seen, left - 1)


def _called(project: Project, file: File, chain: Chain) -> Iterator[Symbol]:
    """The functions that a chain calls by a name of the module's, and methods of the same object."""
    names: list[str] = []
    for step in chain.steps:
        names.append(step.name)
        if step.called:
            break
    else:
        return
    if names[0] in ("self", "cls") and len(names) == 2:
        names[0] = chain.scope.partition(".")[0]
    symbol = project.symbols.find_in(file.module.name, ".".join(names))
    if symbol.kind == "function":
        yield symbol
