"""Which classes are managers and query sets of which models, and which of them fetch other rows by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from strangler.analysis.facts import Named, Step
from strangler.analysis.loops import scopes_that_fetch
from strangler.analysis.models import Registry
from strangler.analysis.symbols import Symbol, Symbols


def managers_of(registry: Registry) -> Iterator[tuple[Symbol, str]]:
    """Managers' and query sets' classes of the project, with the models that use them."""
    for model in registry.real():
        assert model.symbol is not None
        for base in registry.symbols.ancestors(model.symbol):
            if base.kind != "class":
                continue
            for name, value in registry.symbols.class_of(base).attributes.items():
                if name in model.managers and isinstance(value, list):
                    for symbol in _classes_in(registry, base.module, value):
                        yield symbol, model.label


def fetching(symbols: Symbols, managers: Mapping[str, Sequence[Symbol]]) -> Iterator[str]:
    """The models whose rows come with others, whatever is asked for: a manager's get_queryset() says so."""
    scopes: dict[str, frozenset[str]] = {}
    for label, classes in managers.items():
        for symbol in classes:
            if symbol.module not in scopes:
                scopes[symbol.module] = scopes_that_fetch(symbols.file_of(symbol).facts.chains)
            if f"{symbol.name}.get_queryset" in scopes[symbol.module]:
                yield label


def _classes_in(registry: Registry, module: str, value: list[Step]) -> Iterator[Symbol]:
    dotted: list[str] = []
    for step in value:
        dotted.append(step.name)
        symbol = registry.symbols.find_in(module, ".".join(dotted))
        if symbol.kind == "class":
            yield from (base for base in registry.symbols.ancestors(symbol) if base.kind == "class")
        for argument in step.args:
            if isinstance(argument, Named):
                inner = registry.symbols.find_in(module, argument)
                if inner.kind == "class":
                    yield from (base for base in registry.symbols.ancestors(inner) if base.kind == "class")
