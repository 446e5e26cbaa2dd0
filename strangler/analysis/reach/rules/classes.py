"""What classes use: their bases, what they are about, and their methods where others call them by convention."""

from __future__ import annotations

from collections import Counter

from strangler.analysis.models import Model
from strangler.analysis.reach.chains import used
from strangler.analysis.reach.resolving import Resolver, parts_of
from strangler.analysis.reach.usage import Touch, Usage, model_deleted, model_saved
from strangler.analysis.symbols import File, Symbol

_OF_MODELS = frozenset({"clean", "full_clean", "clean_fields", "validate_unique", "from_db", "get_queryset"})


def find(usage: Usage, resolver: Resolver, file: File) -> None:
    """Those of the classes of a file."""
    for found in file.classes.values():
        symbol = Symbol(file.module.name, found.name, "class")
        node = symbol.dotted
        usage.places[node] = (file.module.path, found.line)
        usage.add(node, *(base.dotted for base in resolver.project.symbols.bases(symbol) if base.kind == "class"))
        outer = found.name.rpartition(".")[0]
        if outer in file.classes:
            usage.add(f"{file.module.name}.{outer}", node)
        for decorator in found.decorators:
            for part in parts_of(decorator.steps):
                if isinstance(part, list):
                    usage.add(node, *used(resolver, file, "", part).nodes)
        _model(usage, resolver, symbol)
        _methods(usage, resolver, symbol)


def _model(usage: Usage, resolver: Resolver, symbol: Symbol) -> None:
    """The model that it is, or is about."""
    registry = resolver.project.registry
    model = registry.of(symbol)
    if model is not None and not model.abstract:
        usage.tables[symbol.dotted] = Touch(
            table=model.table, label=model.label, does="is", path=model.path, line=model.line
        )
    if model is None and (about := registry.models.get(resolver.project.following.class_model(symbol))) is not None:
        usage.add(symbol.dotted, about.symbol.dotted if about.symbol is not None else "")


def _methods(usage: Usage, resolver: Resolver, symbol: Symbol) -> None:
    """Its methods by their names, and those, of its own and inherited, that others call for whoever has the class."""
    project = resolver.project
    model = project.registry.of(symbol)
    of_rows = model is not None or symbol in project.following.managed or _is_manager(resolver, symbol)
    framework = resolver.is_framework(symbol)
    bases = [base for base in project.symbols.ancestors(symbol) if base.kind == "class"]
    having = Counter(name for base in bases for name in resolver.owned.get(base, ()))
    for last in resolver.owned.get(symbol, ()):
        name = last if resolver.is_property(symbol, last) else f"{last}()"
        usage.methods.setdefault(name, {})[f"{symbol.dotted}.{last}"] = symbol.dotted
    for base in bases:
        for last in resolver.owned.get(base, ()):
            method = f"{base.dotted}.{last}"
            if of_rows:
                _of_rows(usage, symbol, model, method)
            elif framework or having[last] > 1 or last.startswith(("__", "process_")):
                usage.add(symbol.dotted, method)
                first = resolver.member(symbol, last)
                if not framework and first != method:  # whoever calls this one may get the first one
                    usage.perhaps.setdefault(method, set()).add(first)


def _of_rows(usage: Usage, symbol: Symbol, model: Model | None, method: str) -> None:
    """Of a model or its managers, what Django calls by itself."""
    last = method.rpartition(".")[2]
    if last.startswith("__"):
        usage.perhaps.setdefault(symbol.dotted, set()).add(method)
    elif last in _OF_MODELS:
        usage.add(symbol.dotted, method)
    elif model is not None and last == "save":
        usage.add(model_saved(model.label), method)
    elif model is not None and last == "delete":
        usage.add(model_deleted(model.label), method)


def _is_manager(resolver: Resolver, symbol: Symbol) -> bool:
    bases = resolver.project.symbols.ancestors(symbol)
    return any(base.kind == "outside" and base.name.endswith(("Manager", "QuerySet")) for base in bases)
