"""From classes to the models that Django would make of them, and those that functions make. Found in the files."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.analysis.apps import Apps
from strangler.analysis.configured import text
from strangler.analysis.facts import Class, Named
from strangler.analysis.fields import fields_of
from strangler.analysis.inheriting import loaded_base, meta_of, settle_tables
from strangler.analysis.linking import link
from strangler.analysis.models import Model, Registry
from strangler.analysis.relating import model_of_setting, relate
from strangler.analysis.symbols import Symbol, Symbols
from strangler.analysis.users import ABSTRACT_USERS

_NOT_MODELS = ("Form", "Serializer", "FilterSet", "Admin", "Factory", "Config", "TestCase", "Migration")


def find_models(symbols: Symbols, apps: Apps, user: str = "") -> Registry:
    """The registry of a project whose AUTH_USER_MODEL is "user"; empty is what its settings' files say."""
    user = user or text(symbols, "AUTH_USER_MODEL") or "auth.User"
    registry = Registry(symbols=symbols, apps=apps, user=user, models={}, by_symbol={}, accessors={}, queries={})
    for name, file in symbols.files.items():
        if file.module.is_migration:
            continue
        for found in file.classes.values():
            symbol = Symbol(name, found.name, "class")
            if "." not in found.name and _is_model(symbols, symbol):
                _register(registry, symbol, found)
    made = dict(_made(registry))
    for model in list(registry.models.values()):
        assert model.symbol is not None
        relate(registry, model, made.get(model.label, model.symbol))
    settle_tables(registry)
    _swap(registry)
    link(registry)
    return registry


def _register(registry: Registry, symbol: Symbol, found: Class) -> None:
    file = registry.symbols.file_of(symbol)
    meta = meta_of(registry.symbols, symbol)
    label = meta.get("app_label")
    app = label if isinstance(label, str) and not isinstance(label, Named) else registry.apps.of(symbol.module).label
    table = meta.get("db_table")
    model = Model(
        label=f"{app}.{found.name}",
        app=app,
        symbol=symbol,
        path=file.module.path,
        line=found.line,
        abstract=meta.get("abstract") is True,
        proxy=meta.get("proxy") is True,
        managed=meta.get("managed") is not False,
        table=table if isinstance(table, str) and table else f"{app}_{found.name.lower()}",
    )
    registry.by_symbol[symbol] = model
    if model.label not in registry.models or not file.module.is_test:
        registry.models[model.label] = model


def _is_model(symbols: Symbols, symbol: Symbol) -> bool:
    ancestors = symbols.ancestors(symbol)
    if any(loaded_base(symbols, base) is not None for base in ancestors):
        return True
    outside = [base.name for base in ancestors if base.kind == "outside"]
    if any(name in ("django.db.models.Model", "django.db.models.base.Model") for name in outside):
        return True
    last = [name.rpartition(".")[2] for name in outside]
    if not last or any(name.endswith(_NOT_MODELS) for name in last):
        return False
    # A base of another package that is not here: what has Django's own fields is a model.
    fields = [field for base in ancestors if base.kind == "class" for field in fields_of(symbols, base)]
    return any(field.startswith("django.db.models.") for field in fields) or (
        any(name in ABSTRACT_USERS or name.startswith("Abstract") for name in last) and "models" in symbol.module
    )


def _made(registry: Registry) -> Iterator[tuple[str, Symbol]]:
    """Register models that a function makes with type(name, (Base,), ...), as what its call is assigned to.

    Yields (label, the base).
    """
    symbols = registry.symbols
    for name, file in symbols.files.items():
        for assigned, value in file.facts.assigned.items() if not file.module.is_migration else ():
            if not isinstance(value, list) or not value[-1].called or not value[-1].args:
                continue
            function = symbols.find_in(name, ".".join(step.name for step in value))
            base = _base_made(registry, function) if function.kind == "function" else None
            app = registry.apps.of(name).label
            if base is not None and f"{app}.{assigned}" not in registry.models:
                model = Model(
                    label=f"{app}.{assigned}",
                    app=app,
                    symbol=Symbol(name, assigned, "made"),
                    path=file.module.path,
                    line=value[-1].line,
                    table=f"{app}_{assigned.lower()}",
                )
                registry.models[model.label] = registry.by_symbol[Symbol(name, assigned, "value")] = model
                yield model.label, base


def _base_made(registry: Registry, function: Symbol) -> Symbol | None:
    """The abstract model of which a function makes heirs."""
    for chain in registry.symbols.file_of(function).facts.chains:
        call = chain.steps[-1]
        if chain.scope == function.name and call.name == "type" and len(chain.steps) == 1 and len(call.args) == 3:
            for given in call.args[1] if isinstance(call.args[1], tuple) else ():
                base = registry.symbols.find_in(function.module, given) if isinstance(given, Named) else None
                if base is not None and (model := registry.of(base)) is not None and model.abstract:
                    return base
    return None


def _swap(registry: Registry) -> None:
    """Mark those in whose place a setting names another model."""
    for model in registry.models.values():
        is_class = model.symbol is not None and model.symbol.kind == "class"
        if (
            is_class
            and model.symbol is not None
            and isinstance(setting := meta_of(registry.symbols, model.symbol).get("swappable"), str)
        ):
            chosen = registry.user if setting == "AUTH_USER_MODEL" else model_of_setting(registry, setting)
            model.swapped = chosen not in ("", model.label)
