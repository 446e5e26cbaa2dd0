"""What a function does in one transaction, and a route in one request, as far as the code shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from strangler.analysis.facts import Function
from strangler.analysis.project import Project
from strangler.analysis.symbols import File, Symbol
from strangler.analysis.typed import Does

ATOMIC, REQUESTS, UNSAID = "atomic", "ATOMIC_REQUESTS", "no transaction of its own"
SAVED, DELETED, CHANGED = "saved", "deleted", "changed"
"""How rows are written. By the last, as update() and bulk_create() do, no signal is sent and no save() is called."""
_SAVES = frozenset({"save", "create", "get_or_create", "update_or_create"})
_ANSWERS = frozenset({"get", "post", "put", "patch", "delete", "dispatch", "form_valid", "create", "update", "destroy"})


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """A function that writes, by itself, or through all that it calls if it is one transaction."""

    function: str
    path: str
    line: int
    why: str
    """Why that is one transaction: a decorator or block, the setting for requests; or that nothing says so."""
    writes: tuple[tuple[str, str], ...]
    """(model, SAVED, DELETED or CHANGED)."""
    calls: frozenset[str]
    """Functions that it reaches."""


@dataclass(frozen=True, kw_only=True)
class Loop:
    """A walk from a row to another for each of many."""

    path: str
    line: int
    source: str
    target: str


@dataclass(frozen=True, kw_only=True)
class Request:
    """A view, with the walks in loops that it reaches."""

    view: str
    loops: tuple[Loop, ...]


def find(project: Project, file: File) -> Iterator[Transaction | Request]:
    """Those of the functions of a file, and of its views."""
    if file.module.is_test or file.module.is_migration:
        return
    for function in file.functions.values():
        yield from _transaction(project, file, function)
    for view in sorted({route.view for route in project.all_routes if route.view.startswith(f"{file.module.name}.")}):
        symbol = project.symbols.find(view)
        if symbol.kind in ("class", "function"):
            loops = dict.fromkeys(_loops(project, symbol))
            if loops:
                yield Request(view=view, loops=tuple(loops))


def _transaction(project: Project, file: File, function: Function) -> Iterator[Transaction]:
    symbol = Symbol(file.module.name, function.name, "function")
    why = _why(project, file, function)
    reached = project.calls.reached(symbol) if why != UNSAID else [symbol]
    uses = (asked.use for one in reached for asked in project.calls.asked(one))
    writes = {(use.model, _how(use.detail)) for use in uses if use.does is Does.WRITE}
    if writes:
        yield Transaction(
            function=symbol.dotted,
            path=file.module.path,
            line=function.line,
            why=why,
            writes=tuple(sorted(writes)),
            calls=frozenset(one.dotted for one in reached[1:]),
        )


def _how(detail: str) -> str:
    call = detail.removeprefix("a").removesuffix("()")
    return DELETED if call == "delete" else SAVED if call in _SAVES else CHANGED


def _why(project: Project, file: File, function: Function) -> str:
    decorators = {step.name for decorator in function.decorators for step in decorator.steps}
    chains = project.calls.chains(Symbol(file.module.name, function.name, "function"))
    if "atomic" in decorators or any(chain.steps[-1].name == "atomic" and chain.steps[-1].called for chain in chains):
        return ATOMIC
    if project.atomic_requests and "non_atomic_requests" not in decorators and _answers(project, file, function):
        return REQUESTS
    return UNSAID


def _answers(project: Project, file: File, function: Function) -> bool:
    owner, _, method = f"{file.module.name}.{function.name}".rpartition(".")
    return f"{owner}.{method}" in project.views or (owner in project.views and method in _ANSWERS)


def _loops(project: Project, view: Symbol) -> Iterator[Loop]:
    for one in project.calls.reached(view):
        for asked in project.calls.asked(one):
            if asked.use.each:
                yield Loop(
                    path=asked.file.module.path, line=asked.use.line, source=asked.use.of, target=asked.use.model
                )
