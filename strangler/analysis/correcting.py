"""Apps, models and routes as Django's registries have them, at the lines where the files state them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from strangler.analysis.apps import App, Apps
from strangler.analysis.linking import link
from strangler.analysis.models import Model, Registry, Relation
from strangler.analysis.routes import Route, readable
from strangler.analysis.symbols import File, Symbol, Symbols
from strangler.analysis.truth import TrueModel, TrueRelation, TrueRoute, Truth

_KEYS = ("foreign key", "one-to-one")
_FORMATS = ("(?P<format>", "<drf_format_suffix")


def true_apps(files: Apps, symbols: Symbols, truth: Truth) -> Apps:
    """The installed apps by their labels, and the packages that only the files call apps."""
    packages = {}
    for label, package in truth.apps.items():
        file = _module(symbols, package)
        below = any(name.startswith(f"{package}.") for name in symbols.files)
        if file is not None or below:
            name = file.module.name if file is not None else package
            packages[name] = App(label=label, package=name)
    for package, app in files.by_package.items():
        if package not in packages:
            packages[package] = replace(app, label=package) if app.label in truth.apps else app
    return Apps(by_package=packages)


def true_models(files: Registry, truth: Truth) -> Registry:
    """The registry that Django made. Models that only the files have stay: abstract ones, those of no installed app."""
    symbols = files.symbols
    made = Registry(
        symbols=symbols, apps=files.apps, user=truth.user, models={}, by_symbol={}, accessors={}, queries={}
    )
    renamed: dict[str, str] = {}
    for true in truth.models:
        symbol = symbol_of(symbols, true.module, true.name)
        before = files.of(symbol) if symbol is not None else None
        model = made.models[true.label] = _model(symbols, true, symbol, before)
        if symbol is not None:
            made.by_symbol[symbol] = model
        if before is not None:
            renamed[before.label] = true.label
    for before in [*files.by_symbol.values(), *files.models.values()]:
        if before.symbol not in made.by_symbol and before.label not in made.models:
            left = made.models[before.label] = _renamed(before, renamed)
            if left.symbol is not None:
                made.by_symbol[left.symbol] = left
    link(made)
    return made


def true_routes(files: Iterable[Route], symbols: Symbols, routes: Sequence[TrueRoute]) -> tuple[Route, ...]:
    """The routes that Django resolves, with whole patterns, where the project has their view or their URL module."""
    by_view: dict[str, list[Route]] = {}
    by_name: dict[tuple[str, str], list[Route]] = {}
    for route in files:
        by_view.setdefault(route.view, []).append(route)
        for module in {route.module, ""} if not route.view else {route.module}:
            by_name.setdefault((module, route.name.rpartition(":")[2]), []).append(route)
    found: dict[tuple[str, str, str], Route] = {}
    for true in routes:
        if "admin" in true.apps or any(mark in text for _, text in true.pieces for mark in _FORMATS):
            continue
        symbol = symbol_of(symbols, true.module, true.view)
        view = symbol.dotted if symbol is not None and symbol.kind != "made" else ""
        file = _module(symbols, true.urlconf)
        module = file.module.name if file is not None else ""
        candidates = by_view.get(view, []) if view else []
        candidates = candidates or (by_name.get((module, true.name), []) if true.name else [])
        place = max(candidates, key=lambda route: _likeness(route, true, module), default=None)
        if place is None and not module and not view:
            continue
        pattern = "".join(readable(text, kind) for kind, text in true.pieces)
        made = Route(
            module=place.module if place else module or symbol.module if symbol else module,
            line=place.line if place else _line(symbols, symbol) if symbol and not module else 1,
            pattern=pattern,
            name=":".join([*true.namespaces, true.name]) if true.name else "",
            view=view,
            is_api=true.is_api,
        )
        found.setdefault((made.pattern, made.view, made.name), made)
    return tuple(found.values())


def symbol_of(symbols: Symbols, module: str, name: str) -> Symbol | None:
    """What the files call a class or function; of the kind "made" where only its module is there, None elsewhere."""
    file = _module(symbols, module)
    if file is None:
        return None
    symbol = symbols.find_in(file.module.name, name)
    return symbol if symbol.kind in ("class", "function") else Symbol(file.module.name, name, "made")


def _module(symbols: Symbols, name: str) -> File | None:
    # A folder of apps may be on the path by itself: "catalog.models" is "shop.apps.catalog.models" in the files then.
    return symbols.module(name) or symbols.ending(name)


def _model(symbols: Symbols, true: TrueModel, symbol: Symbol | None, before: Model | None) -> Model:
    line = before.line if before is not None else _line(symbols, symbol)
    model = Model(
        label=true.label,
        app=true.label.partition(".")[0],
        symbol=symbol,
        path=symbols.files[symbol.module].module.path if symbol is not None else "",
        line=line,
        proxy=true.proxy,
        managed=true.managed,
        swapped=bool(true.swapped),
        table=true.table,
        parents=tuple(true.parents),
        relations={one.name: _relation(one, symbol, line, before) for one in true.relations},
        columns={name: before.columns.get(name, line) if before is not None else line for name in true.columns},
        key=true.key,
    )
    model.managers |= frozenset(true.managers)
    return model


def _relation(true: TrueRelation, symbol: Symbol | None, line: int, before: Model | None) -> Relation:
    stated = before.relations.get(true.name) if before is not None else None
    return Relation(
        name=true.name,
        kind=true.kind,
        target=true.target,
        line=stated.line if stated is not None else line,
        module=stated.module if stated is not None else symbol.module if symbol is not None else "",
        on_delete=true.on_delete,
        accessor=true.accessor,
        query=true.query,
        through=true.through,
        column=true.column if true.kind in _KEYS else f"{true.name}_id",
        constrained=true.constrained,
        parent=true.parent,
        stated=stated is not None and stated.stated,
    )


def _renamed(model: Model, renamed: dict[str, str]) -> Model:
    relations = {
        name: replace(one, target=renamed.get(one.target, one.target), through=renamed.get(one.through, one.through))
        for name, one in model.relations.items()
    }
    return replace(model, relations=relations, parents=tuple(renamed.get(one, one) for one in model.parents))


def _line(symbols: Symbols, symbol: Symbol | None) -> int:
    if symbol is None or symbol.kind == "made":
        return 1
    file = symbols.file_of(symbol)
    found = file.classes if symbol.kind == "class" else file.functions
    return found[symbol.name].line


def _likeness(route: Route, true: TrueRoute, module: str) -> tuple[bool, bool, bool]:
    kind, text = true.pieces[-1]
    same = readable(route.pattern, "regex" if route.pattern.startswith("^") else "route") == readable(text, kind)
    return route.module == module, same, route.name.rpartition(":")[2] == true.name
