"""Writes that nobody sees who saves a row: other apps' rows that its save() or a receiver of its signals changes."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.project import Place, Project
from strangler.analysis.receivers import Occasion
from strangler.analysis.symbols import File, Symbol
from strangler.analysis.typed import Does


def find(project: Project, file: File) -> Iterator[Coupling]:
    """One for each line and model, from the model that is saved to the one whose rows are written."""
    if file.module.is_migration:
        return
    reasons = {scope: project.occasions(file, scope) for scope in {chain.scope for chain in file.facts.chains}}
    for chain in file.facts.chains:
        why = reasons[chain.scope]
        if not why:
            continue
        for use in project.following.uses(file, chain):
            if use.does is Does.WRITE:
                yield from _hidden(
                    project, Place(file, use.line or chain.line, chain.scope), why, use.model, use.detail
                )
        for symbol in project.calls.called(file, chain):
            for model in _written(project, symbol):
                detail = f"by {symbol.dotted}"
                yield from _hidden(project, Place(file, chain.line, chain.scope), why, model, detail)


def _hidden(project: Project, at: Place, why: list[Occasion], model: str, detail: str) -> Iterator[Coupling]:
    for occasion in why:
        if occasion.model != model:
            models = (occasion.model, model)
            yield from project.coupling_of_models(Kind.HIDDEN_WRITE, at, models, f"{occasion.why}: {detail}")


def _written(project: Project, symbol: Symbol) -> list[str]:
    """The models that a function, or what it calls, writes."""
    asked = (asked for one in project.calls.reached(symbol) for asked in project.calls.asked(one))
    return sorted({one.use.model for one in asked if one.use.does is Does.WRITE})
