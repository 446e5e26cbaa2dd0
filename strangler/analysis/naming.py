"""Whose route a name means, also where its namespaces are given by who includes the module, or by convention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from strangler.analysis.apps import Apps, is_config
from strangler.analysis.facts import Chain, Named, Value
from strangler.analysis.routes import Route, by_name
from strangler.analysis.symbols import File, Symbol, Symbols


@dataclass(frozen=True, kw_only=True)
class RouteNames:
    """The names of routes, as their modules say them, and who a namespace is of."""

    owners: Mapping[str, str]
    """Labels of apps by the names of their routes, with the module's app_name and with the namespaces of includes."""
    within: Mapping[tuple[str, str], str]
    """Labels of apps that have a route's view, by (the app whose module has it, its name without namespaces)."""
    alone: Mapping[str, str]
    """Labels of apps by names without namespaces that only one of them has: whoever collects their routes adds one."""
    spaces: Mapping[str, str]
    """Labels of apps by their namespaces."""

    @classmethod
    def of(cls, symbols: Symbols, apps: Apps, routes: Iterable[Route]) -> RouteNames:
        routes = list(routes)
        named = [route for route in routes if route.name]
        owner = {route: apps.of(route.view.rpartition(".")[0] or route.module).label for route in named}
        having: dict[str, set[str]] = {}
        for route in named:
            having.setdefault(_last(route.name), set()).add(owner[route])
        return cls(
            alone={name: next(iter(found)) for name, found in having.items() if len(found) == 1},
            owners={name: owner[route] for name, route in by_name(routes)},
            within={(apps.of(route.module).label, _last(route.name)): owner[route] for route in named},
            spaces=dict(_spaces(symbols, apps)),
        )

    def owner(self, text: str, *, surely: bool = False) -> str | None:
        """The label of the app that has the route which a text names; None where it names none that is known.

        With "surely" the text is known to be a route's name: then its namespace is enough, whose names may be made.
        """
        if text in self.owners:
            return self.owners[text] if surely or ":" in text else None
        above, _, name = text.rpartition(":")
        space = self.spaces.get(_last(above))
        if space is None:
            return None
        return self.within.get((space, name), self.alone.get(name, space) if surely else None)


def _last(name: str) -> str:
    return name.rpartition(":")[2]


def _spaces(symbols: Symbols, apps: Apps) -> Iterator[tuple[str, str]]:
    """By convention an app's label, its package's name, or what its AppConfig calls so; surely what include() says."""
    for app in apps.by_package.values():
        yield app.package.rpartition(".")[2], app.label
    for app in apps.by_package.values():
        yield app.label, app.label
    for name, file in symbols.files.items():
        for found in file.classes.values():
            if is_config(symbols, Symbol(name, found.name, "class")):
                for attribute, value in found.attributes.items():
                    if "namespace" in attribute and _is_text(value):
                        yield str(value), apps.of(name).label
    for file in symbols.files.values():
        for chain in file.facts.chains:
            if chain.steps[-1].name == "include" and chain.steps[-1].called:
                yield from _included(symbols, apps, file, chain)


def _included(symbols: Symbols, apps: Apps, file: File, chain: Chain) -> Iterator[tuple[str, str]]:
    call = chain.steps[-1]
    given = call.args[0] if call.args else None
    parts = given if isinstance(given, tuple) else (given,)
    module = _module(symbols, file, parts[0] if parts else None)
    if module:
        for space in (*parts[1:2], call.keywords.get("namespace")):
            if _is_text(space):
                yield str(space), apps.of(module).label


def _module(symbols: Symbols, file: File, given: Value) -> str:
    if isinstance(given, Named):
        symbol = symbols.find_in(file.module.name, given)
        return symbol.module
    found = symbols.module(given) if isinstance(given, str) else None
    return found.module.name if found is not None else ""


def _is_text(value: Value) -> bool:
    return isinstance(value, str) and not isinstance(value, Named)
