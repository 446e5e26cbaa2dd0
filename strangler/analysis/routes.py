"""The routes of a project and their names, as its URL modules say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from strangler.analysis.facts import Named, Step, Value
from strangler.analysis.symbols import File, Symbol, Symbols

_MAKERS = frozenset({"path", "re_path", "url"})


@dataclass(frozen=True, kw_only=True)
class Route:
    """One path of a URL module. "name" has the module's app_name before it, as in "shop:product"."""

    module: str
    line: int
    pattern: str
    name: str
    view: str
    """The dotted name of the view; empty where another module is included."""
    included: str = ""


def find_routes(symbols: Symbols) -> Iterator[Route]:
    """Those of all modules that make paths."""
    for file in symbols.files.values():
        if any(name in _MAKERS for name in file.imports):
            yield from _of(symbols, file)


def _of(symbols: Symbols, file: File) -> Iterator[Route]:
    space = file.facts.assigned.get("app_name")
    prefix = f"{space}:" if isinstance(space, str) and not isinstance(space, Named) else ""
    for chain in file.facts.chains:
        call = chain.steps[-1]
        if call.name not in _MAKERS or not call.called or len(chain.steps) != 1 or not call.args:
            continue
        pattern, view = call.args[0], call.args[1] if len(call.args) > 1 else call.keywords.get("view")
        name = call.keywords.get("name")
        yield Route(
            module=file.module.name,
            line=chain.line,
            pattern=pattern if isinstance(pattern, str) else "",
            name=prefix + name if isinstance(name, str) and not isinstance(name, Named) else "",
            view=_view(symbols, file, view),
            included=_included(symbols, file, view),
        )


def _view(symbols: Symbols, file: File, view: Value) -> str:
    names = str(view) if isinstance(view, Named) else ".".join(_uncalled(view)) if isinstance(view, list) else ""
    symbol = symbols.find_in(file.module.name, names) if names else Symbol("", "", "outside")
    return symbol.dotted if symbol.kind in ("class", "function") else ""


def _uncalled(steps: list[Step]) -> Iterator[str]:
    for step in steps:
        if step.name == "as_view":
            return
        yield step.name


def _included(symbols: Symbols, file: File, view: Value) -> str:
    if not isinstance(view, list) or view[-1].name != "include" or not view[-1].args:
        return ""
    given = view[-1].args[0]
    if isinstance(given, tuple) and given:
        given = given[0]
    if isinstance(given, Named):
        return symbols.find_in(file.module.name, given).module
    found = symbols.module(given) if isinstance(given, str) else None
    return found.module.name if found is not None else ""
