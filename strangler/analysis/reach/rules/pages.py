"""Where requests come in: routes, and the pages of the admin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from strangler.analysis.facts import Chain, Named, Value
from strangler.analysis.reach.resolving import Resolver, parts_of
from strangler.analysis.reach.usage import Entry, Usage, model_deleted, model_saved, template
from strangler.analysis.routes import Route, find_routes, whole_routes
from strangler.analysis.symbols import File, Symbol

_OUTSIDE = "?"
"""Stands for the view of a route that is not the project's own."""


def routes(usage: Usage, resolver: Resolver) -> list[tuple[Route, str]]:
    """Every route with its node. Each uses its view, and the middleware of all."""
    symbols = resolver.project.symbols
    found = [replace(route, view=route.view or ("" if route.included else _OUTSIDE)) for route in find_routes(symbols)]
    stated = {_stated(route): route.pattern for route in found}
    known = []
    chains: dict[str, dict[int, list[Chain]]] = {}
    for route in whole_routes(found):
        file = symbols.files[route.module]
        if route.module not in chains:
            chains[route.module] = _by_line(file)
        here = chains[route.module].get(route.line, ())
        shown = route.pattern or f"{route.module}:{route.line} (a pattern that cannot be told)"
        entry = Entry(
            kind="route",
            name=f"{shown} ({route.name})" if route.name else shown,
            node=f"route {shown} {route.view} {route.module}:{route.line}",
            starts=route.view if route.view != _OUTSIDE else "",
            path=file.module.path,
            line=route.line,
        )
        usage.enter(entry, *_beside_view(resolver, file, here, stated[_stated(route)]))
        usage.beside[entry.node] = set(resolver.settings.get("MIDDLEWARE", ()))
        known.append((route, entry.node))
    return known


def admin(usage: Usage, resolver: Resolver) -> dict[str, str]:
    """The nodes of the admin's pages, by the labels of their models in small letters."""
    known: dict[str, str] = {}
    for file in resolver.project.files():
        for path_line, labels, classes in _registered(resolver, file):
            for label in labels:
                node = f"admin {label}"
                known[label.lower()] = node
                model = resolver.project.registry.models[label].symbol
                starts = classes[0] if classes else model.dotted if model is not None else ""
                entry = Entry(kind="admin", name=label, node=node, starts=starts, path=path_line[0], line=path_line[1])
                usage.enter(entry, *classes, model_saved(label), model_deleted(label))
                beside = (resolver.settings.get(name, ()) for name in ("MIDDLEWARE", "TEMPLATES"))
                usage.beside[node] = {one for found in beside for one in found}
                if model is not None:
                    usage.add(node, model.dotted)
    return known


def _stated(route: Route) -> tuple[str, int, str, str]:
    """By what a route is found again when its pattern has become a whole one."""
    return route.module, route.line, route.view, route.name


def _by_line(file: File) -> dict[int, list[Chain]]:
    found: dict[int, list[Chain]] = {}
    for chain in file.facts.chains:
        found.setdefault(chain.line, []).append(chain)
    return found


def _beside_view(resolver: Resolver, file: File, here: Sequence[Chain], pattern: str) -> Iterator[str]:
    """What a route names besides its view, by the chains of its line: decorators, templates given to as_view()."""
    for chain in here:
        args = chain.steps[-1].args
        if not args or str(args[0]) != pattern:
            continue
        for part in parts_of(chain.steps):
            if isinstance(part, Named):
                yield from resolver.by_name(file, part)
            elif isinstance(part, str) and part in resolver.template_names:
                yield template(part)


def _registered(resolver: Resolver, file: File) -> Iterator[tuple[tuple[str, int], list[str], list[str]]]:
    """((path, line), labels of models, nodes of admin classes) of each registration."""
    project, path = resolver.project, file.module.path
    for found in file.classes.values():
        for decorator in found.decorators:
            if decorator.steps[-1].name == "register" and decorator.steps[-1].called:
                labels = [label for part in _models(decorator) if (label := project.following.model_of(file, part))]
                symbol = Symbol(file.module.name, found.name, "class")
                if labels and any("Admin" in base.name for base in project.symbols.ancestors(symbol)[1:]):
                    yield (path, found.line), labels, [symbol.dotted]
    for chain in file.facts.chains:
        names = [step.name for step in chain.steps]
        call = chain.steps[-1]
        if names[-1] == "register" and call.called and {"admin", "site"} & set(names[:-1]) and call.args:
            labels = [label for part in _models(chain)[:1] if (label := project.following.model_of(file, part))]
            given = call.args[1] if len(call.args) > 1 else call.keywords.get("admin_class")
            yield (path, chain.line), labels, resolver.by_name(file, given) if isinstance(given, Named) else []


def _models(chain: Chain) -> list[Value]:
    found: list[Value] = []
    for value in chain.steps[-1].args:
        found += value if isinstance(value, tuple) else [value]
    return found
