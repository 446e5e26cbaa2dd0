"""The map as a graph of modules and models, within apps and between them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from strangler.analysis.behaviour import DELETED, SAVED, Request, Transaction
from strangler.analysis.coupling import EVERY_APP, WEIGHTS, WRITES, Coupling, Kind
from strangler.analysis.mapping import Map


@dataclass(frozen=True, kw_only=True)
class Tie:
    """A coupling between two nodes."""

    source: str
    target: str
    coupling: Coupling


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Nodes are modules by their dotted names and models by their labels; a module of models alone is none."""

    apps: Mapping[str, str]
    """The app of each node."""
    models: frozenset[str]
    lines: Mapping[str, int]
    ties: tuple[Tie, ...]
    routes: Mapping[str, str]
    """The module of the view of each route, by "module:line" of the route."""
    transactions: tuple[Transaction, ...] = ()
    requests: tuple[Request, ...] = ()
    weights: Mapping[tuple[str, str], int] = field(init=False)

    def __post_init__(self) -> None:
        weights: Counter[tuple[str, str]] = Counter()
        for tie in self.ties:
            if WEIGHTS[tie.coupling.kind]:
                weights[tie.source, tie.target] += WEIGHTS[tie.coupling.kind]
        object.__setattr__(self, "weights", dict(weights))

    @cached_property
    def calls(self) -> Mapping[tuple[str, str], int]:
        """How many ties there are from node to node, of those that weigh anything."""
        return Counter((tie.source, tie.target) for tie in self.ties if WEIGHTS[tie.coupling.kind])

    @cached_property
    def leaving(self) -> Mapping[str, Sequence[int]]:
        """The places in "ties" of those that start from each node."""
        found: dict[str, list[int]] = {}
        for number, tie in enumerate(self.ties):
            found.setdefault(tie.source, []).append(number)
        return found

    @cached_property
    def entering(self) -> Mapping[str, Sequence[int]]:
        """The places in "ties" of those that lead to each node."""
        found: dict[str, list[int]] = {}
        for number, tie in enumerate(self.ties):
            found.setdefault(tie.target, []).append(number)
        return found

    @cached_property
    def writes(self) -> Sequence[Tie]:
        """Those that write rows."""
        return [tie for tie in self.ties if tie.coupling.kind in WRITES]

    @cached_property
    def along(self) -> Mapping[tuple[str, str], set[str]]:
        """What is written whenever rows of a model are saved, or deleted: by (model, SAVED or DELETED)."""
        found: dict[tuple[str, str], set[str]] = {}
        for tie in self.writes:
            coupling = tie.coupling
            if coupling.kind is Kind.HIDDEN_WRITE and coupling.source in self.models:
                how = DELETED if "delete" in coupling.detail.partition(":")[0] else SAVED
                found.setdefault((coupling.source, how), set()).add(coupling.target)
        return found

    @cached_property
    def use_cases(self) -> Sequence[frozenset[str]]:
        """For each route, what its view reaches over all ties."""
        nexts: dict[str, set[str]] = {}
        for source, target in self.weights:
            nexts.setdefault(source, set()).add(target)
        reached: dict[str, frozenset[str]] = {}
        for view in set(self.routes.values()) & set(self.apps):
            seen, open_ = {view}, [view]
            while open_:
                fresh = nexts.get(open_.pop(), set()) - seen
                seen |= fresh
                open_ += fresh
            reached[view] = frozenset(seen)
        return [reached[view] for view in self.routes.values() if view in reached]

    def moved(self, node: str, app: str) -> Graph:
        """The graph if this node belonged to that app. Raises ValueError where there is no such node or app."""
        if node not in self.apps:
            raise ValueError(
                f'there is no model or module "{node}"; the map names them as "app.Model" and "shop.app.module"'
            )
        if app not in self.apps.values():
            raise ValueError(f'there is no app "{app}"; there are {", ".join(sorted(set(self.apps.values())))}')
        return replace(self, apps={**self.apps, node: app})


def graph_of(found: Map) -> Graph:
    """The graph of a map, without tests."""
    modules = {module.name: module for module in found.summary.modules if not module.test}
    paths = {module.path: module.name for module in modules.values()}
    models = {model.label: model for model in found.summary.models}
    of_models = {paths[model.path] for model in models.values() if model.path in paths}
    apps = {name: module.app for name, module in modules.items() if name not in of_models}
    apps |= {label: model.app for label, model in models.items()}
    named = {(paths.get(model.path, ""), label.rpartition(".")[2]): label for label, model in models.items()}
    packages = _packages(apps, models)
    views = {route.name: route.view.rpartition(".")[0] for route in found.summary.routes if route.name}
    ties = []
    for coupling in (*found.couplings, *found.inner):
        if coupling.test:
            continue
        source = coupling.source if coupling.source in models else paths.get(coupling.path, "")
        if source in of_models:
            source = _within(coupling.source, source, named)
        if source not in apps:
            source = packages.get(coupling.source_app, "")
        targets = _targets(coupling, apps, of_models, named)
        if not targets and coupling.target_app == EVERY_APP:
            targets = [node for app, node in packages.items() if app != coupling.source_app]
        elif not targets:
            view = views.get(coupling.target, "")
            targets = [view if view in apps else packages.get(coupling.target_app, "")]
        ties += [
            Tie(source=source, target=target, coupling=coupling)
            for target in targets
            if source and target and target != source
        ]
    return Graph(
        apps=apps,
        models=frozenset(models),
        lines=_lines(found, of_models),
        ties=tuple(ties),
        routes={
            f"{route.module}:{route.line}": route.view.rpartition(".")[0]
            for route in found.summary.routes
            if route.view
        },
        transactions=found.transactions,
        requests=found.requests,
    )


def _packages(apps: Mapping[str, str], models: Container[str]) -> dict[str, str]:
    """For each app the node that stands for what is of none of its modules, as templates are: its package, mostly."""
    found: dict[str, str] = {}
    for node in sorted(apps, key=lambda node: (node in models, node.count("."), node)):
        found.setdefault(apps[node], node)
    return found


def _within(source: str, module: str, named: Mapping[tuple[str, str], str]) -> str:
    """The model whose method something stands in; empty where that is in none."""
    return named.get((module, source.removeprefix(module).lstrip(".").partition(".")[0]), "")


def _targets(
    coupling: Coupling, apps: Mapping[str, str], of_models: Iterable[str], named: Mapping[tuple[str, str], str]
) -> list[str]:
    if coupling.target in apps:
        return [coupling.target]
    if coupling.target in of_models:  # an import of models: each that is named
        names = (named.get((coupling.target, name.strip())) for name in coupling.detail.split(","))
        return [label for label in names if label]
    module = coupling.target.rpartition(".")[0]
    return [module] if module in apps else []


def _lines(found: Map, of_models: Iterable[str]) -> dict[str, int]:
    """Lines of each node; those of a module of models are shared out among them."""
    modules = {module.name: module for module in found.summary.modules}
    lines = {name: module.lines for name, module in modules.items() if name not in of_models and not module.test}
    paths = Counter(model.path for model in found.summary.models)
    by_path = {module.path: module.lines for module in modules.values()}
    return lines | {model.label: by_path.get(model.path, 0) // paths[model.path] for model in found.summary.models}
