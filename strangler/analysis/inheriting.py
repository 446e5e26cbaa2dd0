"""What models have of those that they inherit from: Meta, tables, and keys to these. Found in the files."""

from __future__ import annotations

from collections.abc import Mapping

from strangler.analysis.facts import Step, Value
from strangler.analysis.models import LOADERS, Model, Registry, Relation
from strangler.analysis.symbols import Symbol, Symbols

_DEEPEST = 10


def meta_of(symbols: Symbols, symbol: Symbol, depth: int = 0) -> Mapping[str, Value]:
    """What a model's Meta says: its own, with that of the classes it inherits from, else an abstract model's."""
    own = symbols.class_of(symbol).meta
    above: dict[str, Value] = {}
    if own:
        bases = own.get("@bases")
        names = (
            [base.removesuffix(".Meta") for base in bases if isinstance(base, str)] if isinstance(bases, tuple) else []
        )
        classes = [symbols.find_in(symbol.module, name) for name in names]
    else:  # Django leaves the Meta of abstract models alone to their heirs
        above_it = symbols.ancestors(symbol)[1:]
        classes = [one for one in above_it if one.kind == "class" and _is_abstract(symbols, one)][:1]
    for one in classes:
        if one.kind == "class" and depth < _DEEPEST:
            above = {**meta_of(symbols, one, depth + 1), **above}
    above.pop("abstract", None)
    return {**above, **own}


def loaded_base(symbols: Symbols, base: Symbol) -> Step | None:
    """The call of get_model() that a base is the result of."""
    if base.kind != "value" or base.module not in symbols.files:
        return None
    value = symbols.files[base.module].facts.assigned.get(base.name)
    call = value[-1] if isinstance(value, list) else None
    return call if call is not None and call.called and call.name in LOADERS else None


def settle_tables(registry: Registry) -> None:
    """A proxy has the table of the model that it stands for, and who inherits from one inherits from that model.

    Who inherits a table has a key to it.
    """

    def concrete(label: str, depth: int = 0) -> str:
        model = registry.models.get(label)
        if model is None or not model.proxy or not model.parents or depth > _DEEPEST:
            return label
        return concrete(model.parents[0], depth + 1)

    stands = {label: concrete(label) for label in registry.models}
    for model in registry.models.values():
        model.parents = tuple(dict.fromkeys(stands.get(parent, parent) for parent in model.parents))
        own = registry.models.get(stands[model.label]) if model.label in stands else None
        if model.proxy and own is not None:
            model.table, model.key = own.table, own.key
        elif not model.abstract:
            _link_to_parents(model)


def _link_to_parents(model: Model) -> None:
    """The one-to-one keys to the tables that a model inherits from, which Django makes where nobody states them."""
    stated = {relation.target for relation in model.relations.values() if relation.parent}
    for parent in model.parents if model.symbol is not None else ():
        if parent in stated:
            continue
        name, lower = f"{parent.rpartition('.')[2].lower()}_ptr", model.label.rpartition(".")[2].lower()
        model.relations[name] = Relation(
            name=name,
            kind="one-to-one",
            target=parent,
            line=model.line,
            module=model.symbol.module if model.symbol is not None else "",
            on_delete="CASCADE",
            accessor=lower,
            query=lower,
            column=f"{name}_id",
            parent=True,
            stated=False,
        )
        if model.key == "id":
            model.key = name


def _is_abstract(symbols: Symbols, symbol: Symbol) -> bool:
    return symbols.class_of(symbol).meta.get("abstract") is True
