"""A project as the rules see it: its files, apps and models, and who owns which template, route and table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from strangler.analysis import templates
from strangler.analysis.apps import App, Apps
from strangler.analysis.calls import Calls
from strangler.analysis.cascades import cascades
from strangler.analysis.correcting import symbol_of
from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.differing import Difference
from strangler.analysis.following import Following
from strangler.analysis.knowing import know
from strangler.analysis.managers import fetching, managers_of
from strangler.analysis.models import Model, Registry, Relation
from strangler.analysis.naming import RouteNames
from strangler.analysis.receivers import Occasion, Received, find_receivers, occasions
from strangler.analysis.routes import Route
from strangler.analysis.symbols import File, Symbol, Symbols
from strangler.analysis.tasks import find_tasks
from strangler.analysis.tree import Tree
from strangler.analysis.truth import Truth


@dataclass(frozen=True)
class Place:
    """A line of a file, and the class or function that it is in."""

    file: File
    line: int
    scope: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelSummary:
    """A model in few words."""

    label: str
    app: str
    path: str
    line: int
    table: str
    owns: bool
    """Whether the table is made for it: a proxy's and an unmanaged model's is not."""
    key: str
    columns: tuple[str, ...]
    relations: tuple[Relation, ...]
    parents: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ModuleSummary:
    """A module in few words."""

    name: str
    app: str
    path: str
    lines: int
    test: bool


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the map's readers need of the project."""

    apps: tuple[App, ...]
    modules: tuple[ModuleSummary, ...]
    models: tuple[ModelSummary, ...]
    routes: tuple[Route, ...]
    tasks: Mapping[str, str]
    """Names of Celery tasks, to the dotted names of their functions."""

    @property
    def lines(self) -> int:
        return sum(module.lines for module in self.modules)


@dataclass(frozen=True, kw_only=True)
class Project:
    """All that is known before couplings are looked for. Nothing of it was imported."""

    tree: Tree
    symbols: Symbols
    apps: Apps
    registry: Registry
    following: Following
    tables: Mapping[str, str]
    """Labels of models by their tables."""
    templates: Mapping[str, str]
    """Labels of apps by the names under which their templates are loaded."""
    owners: Mapping[str, str]
    """Labels of apps by their templates' paths."""
    routes: RouteNames
    all_routes: tuple[Route, ...]
    tasks: Mapping[str, str]
    """Dotted names of functions by the names of their tasks."""
    views: frozenset[str]
    """Dotted names of the views that routes lead to."""
    calls: Calls
    atomic_requests: bool
    """Whether each request is a transaction."""
    receivers: dict[Symbol, list[Received]]
    cascades: Mapping[str, tuple[str, ...]]
    """Labels of models whose rows go, or are changed, with a row of the one that is named."""
    truth: Truth | None
    """What Django's registries said, where they were asked."""
    differences: tuple[Difference, ...]

    @classmethod
    def of(cls, tree: Tree, files: list[File], truth: Truth | None = None) -> Project:
        symbols = Symbols.of(files)
        known = know(symbols, truth)
        apps, registry = known.apps, known.registry
        users: dict[Symbol, set[str]] = {}
        managers: dict[str, list[Symbol]] = {}
        for symbol, label in managers_of(registry):
            users.setdefault(symbol, set()).add(label)
            managers.setdefault(label, []).append(symbol)
        owned = list(templates.find_templates(tree, apps))
        managed = {symbol: next(iter(labels)) for symbol, labels in users.items() if len(labels) == 1}
        following = Following(
            registry=registry,
            managed=managed,
            managers=managers,
            fetching=frozenset(fetching(symbols, managers)),
        )
        receivers = find_receivers(symbols, following)
        following.instances = dict(_instances(receivers))
        following.learn()
        return cls(
            tree=tree,
            symbols=symbols,
            apps=apps,
            registry=registry,
            following=following,
            tables={model.table: model.label for model in sorted(registry.real(), key=_is_the_tables_own)},
            templates={name: label for _, name, label in owned},
            owners={path: label for path, _, label in owned},
            routes=RouteNames.of(symbols, apps, known.routes),
            all_routes=known.routes,
            tasks=dict(find_tasks(symbols)),
            views=frozenset(route.view for route in known.routes if route.view),
            calls=Calls(symbols=symbols, following=following),
            atomic_requests=any(file.facts.atomic_requests for file in files if not file.module.is_test),
            receivers=receivers,
            cascades=cascades(registry),
            truth=truth,
            differences=known.differences,
        )

    def files(self) -> Iterator[File]:
        """All files, migrations as well."""
        return iter(self.symbols.files.values())

    def app_of(self, file: File) -> App:
        """The app that a file belongs to."""
        return self.apps.of(file.module.name)

    def app_of_model(self, label: str) -> str:
        """The label of the app whose model this is."""
        return label.rpartition(".")[0]  # a label may have dots of its own

    def is_here(self, label: str) -> bool:
        """Whether a model is the project's own."""
        model = self.registry.models.get(label)
        return model is not None and model.symbol is not None

    def summary(self) -> Summary:
        """The project without its code."""
        models = sorted(self.registry.real(), key=lambda model: model.label)
        return Summary(
            apps=tuple(sorted(set(self.apps.by_package.values()), key=lambda app: app.label)),
            models=tuple(
                ModelSummary(
                    label=model.label,
                    app=model.app,
                    path=model.path,
                    line=model.line,
                    table=model.table,
                    owns=_is_the_tables_own(model),
                    key=model.key,
                    columns=tuple(model.columns),
                    relations=tuple(model.relations.values()),
                    parents=model.parents,
                )
                for model in models
            ),
            modules=tuple(
                ModuleSummary(
                    name=file.module.name,
                    app=self.app_of(file).label,
                    path=file.module.path,
                    lines=file.facts.lines,
                    test=file.module.is_test or file.module.is_migration,
                )
                for file in self.files()
            ),
            routes=self.all_routes,
            tasks=dict(self.tasks) | dict(self._true_tasks()),
        )

    def occasions(self, file: File, scope: str) -> list[Occasion]:
        """Why what stands in a scope runs by itself, when rows are saved or deleted."""
        return occasions(self.receivers, self.following, file, scope)

    def _true_tasks(self) -> Iterator[tuple[str, str]]:
        for task in self.truth.tasks if self.truth is not None else ():
            if (symbol := symbol_of(self.symbols, task.module, task.name)) is not None and symbol.kind != "made":
                yield task.task, symbol.dotted

    def template_owner(self, path: str) -> str | None:
        """The label of the app that a template belongs to; None where nobody can tell."""
        return self.owners.get(path)

    def coupling(self, kind: Kind, at: Place, target_app: str, target: str, detail: str = "") -> Iterator[Coupling]:
        """What a place is coupled to, in its own app or another."""
        name = at.file.module.name
        source = f"{name}.{at.scope}" if at.scope else name
        yield from self._between(kind, at, (self.app_of(at.file).label, target_app), (source, target), detail)

    def coupling_of_models(self, kind: Kind, at: Place, models: tuple[str, str], detail: str) -> Iterator[Coupling]:
        """The coupling between two models, wherever it stands."""
        source, target = models
        yield from self._between(kind, at, (self.app_of_model(source), self.app_of_model(target)), models, detail)

    def _between(
        self, kind: Kind, at: Place, apps: tuple[str, str], names: tuple[str, str], detail: str
    ) -> Iterator[Coupling]:
        if apps[1]:
            yield Coupling(
                kind=kind,
                source_app=apps[0],
                target_app=apps[1],
                source=names[0],
                target=names[1],
                path=at.file.module.path,
                line=at.line,
                detail=detail,
                test=at.file.module.is_test,
            )


def _is_the_tables_own(model: Model) -> bool:
    """What sorts the model that its table is made for behind others that only look at it."""
    return model.managed and not model.proxy


def _instances(receivers: Mapping[Symbol, list[Received]]) -> Iterator[tuple[Symbol, str]]:
    """Receivers with the one model that they are about."""
    for function, received in receivers.items():
        senders = {sender for one in received for sender in one.senders}
        # What m2m_changed is about may be either side.
        if len(senders) == 1 and all(one.senders and one.signal != "m2m_changed" for one in received):
            yield function, senders.pop()
