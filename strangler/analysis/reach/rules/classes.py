"""What classes use: their bases, what they are about, and their methods where others call them by convention."""

from __future__ import annotations

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
    project = resolver.project
    model = project.registry.of(symbol)
    of_rows = model is not None or symbol in project.following.managed or _is_manager(resolver, symbol)
    framework = resolver.is_framework(symbol)
    for base in project.symbols.ancestors(symbol):
        if base.kind != "class":
            continue
        for last in resolver.owned.get(base, ()):
            method = f"{base.dotted}.{last}"
            if base == symbol:
                name = last if resolver.is_property(base, last) else f"{last}()"
                usage.methods.setdefault(name, {})[method] = symbol.dotted
            if of_rows:
                called = last in _OF_MODELS
                if last.startswith("__"):
                    usage.perhaps.setdefault(symbol.dotted, set()).add(method)
            else:
                called = framework or last.startswith(("__", "process_")) or _overrides(resolver, symbol, base, last)
            if called:
                usage.add(symbol.dotted, method)
            elif model is not None and last == "save":
                usage.add(model_saved(model.label), method)
            elif model is not None and last == "delete":
                usage.add(model_deleted(model.label), method)


def _is_manager(resolver: Resolver, symbol: Symbol) -> bool:
    bases = resolver.project.symbols.ancestors(symbol)
    return any(base.kind == "outside" and base.name.endswith(("Manager", "QuerySet")) for base in bases)


def _overrides(resolver: Resolver, symbol: Symbol, base: Symbol, name: str) -> bool:
    """Whether a method stands for one of a class above: whoever knows that one calls this one."""
    if base != symbol:
        return False
    return any(
        resolver.member(above, name) for above in resolver.project.symbols.bases(symbol) if above.kind == "class"
    )
