"""Which attributes of classes are models' fields, relations among them, and managers. Found in the files."""

from __future__ import annotations

from strangler.analysis.facts import Value
from strangler.analysis.symbols import Symbol, Symbols


def fields_of(symbols: Symbols, symbol: Symbol) -> list[str]:
    """The dotted names of the classes of the fields that a class states."""
    found = symbols.class_of(symbol)
    return [dotted for value in found.attributes.values() if (dotted := field_class(symbols, symbol.module, value))]


def field_class(symbols: Symbols, module: str, value: Value) -> str:
    """The dotted name of the field that is made here; empty for anything else."""
    if not isinstance(value, list) or not value[-1].called or any(step.called for step in value[:-1]):
        return ""
    dotted = ".".join(step.name for step in value)
    symbol = symbols.find_in(module, dotted)
    name = symbol.name or dotted
    return symbol.dotted if _looks_like_field(name) or (symbol.kind == "class" and _is_field(symbols, symbol)) else ""


def relation_kind(symbols: Symbols, dotted: str) -> str:
    """Which relation a field of this class is; empty for none."""
    symbol = symbols.find(dotted)
    names = [dotted, *(base.name for base in symbols.ancestors(symbol))] if symbol.kind == "class" else [dotted]
    for name in names:
        last = name.rpartition(".")[2]
        if "GenericForeignKey" in last:
            return "generic key"
        if "GenericRelation" in last:
            return "generic relation"
        if "OneToOne" in last:
            return "one-to-one"
        if "ManyToMany" in last:
            return "many-to-many"
        if last.endswith(("ForeignKey", "ParentalKey")):
            return "foreign key"
    return ""


def is_manager(symbols: Symbols, module: str, value: Value) -> bool:
    """Whether a value makes a manager or a query set."""
    if not isinstance(value, list) or not value[-1].called:
        return False
    if value[-1].name in ("as_manager", "from_queryset"):
        return True
    dotted = ".".join(step.name for step in value)
    symbol = symbols.find_in(module, dotted)
    bases = symbols.ancestors(symbol) if symbol.kind == "class" else [symbol]
    return any(base.name.rpartition(".")[2].endswith(("Manager", "QuerySet")) for base in bases)


def _looks_like_field(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last.endswith(("Field", "ForeignKey", "ParentalKey", "GenericRelation", "ParentalManyToManyField"))


def _is_field(symbols: Symbols, symbol: Symbol) -> bool:
    return any(base.kind == "outside" and _looks_like_field(base.name) for base in symbols.ancestors(symbol))
