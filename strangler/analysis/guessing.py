"""What a method of a class about a model is given: its rows, and the forms that save them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strangler.analysis.facts import Named
from strangler.analysis.symbols import File, Symbol, Symbols

if TYPE_CHECKING:
    from strangler.analysis.following import Following

ROWS = frozenset({"obj", "instance", "object"})
"""What methods and objects call the row that they are given."""


def row_given(following: Following, file: File, scope: str, name: str) -> str:
    """The model whose row a method of an admin page, a form, a view or a serializer is given; empty for none."""
    symbol = class_at(file, scope) if name in ROWS else None
    return _about(following, symbol) if symbol is not None else ""


def form_given(symbols: Symbols, file: File, scope: str) -> Symbol | None:
    """The form that a method of a view is given, by the form_class of its class."""
    view = class_at(file, scope)
    for base in symbols.ancestors(view) if view is not None else ():
        value = symbols.class_of(base).attributes.get("form_class") if base.kind == "class" else None
        if isinstance(value, Named):
            found = symbols.find_in(base.module, value)
            return found if found.kind == "class" else None
    return None


def class_at(file: File, scope: str) -> Symbol | None:
    """The innermost class that something stands in."""
    parts = scope.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((Symbol(file.module.name, name, "class") for name in names if name in file.classes), None)


def is_form(symbols: Symbols, symbol: Symbol) -> bool:
    """Whether a class is a form or a serializer, whose save() writes the row that it gives."""
    names = (base.name.rpartition(".")[2] for base in symbols.ancestors(symbol) if base.kind == "outside")
    return any(name.endswith(("Form", "FormMixin", "FormSet", "Serializer")) for name in names)


def _about(following: Following, symbol: Symbol) -> str:
    """The model that a class is about, also by @admin.register(Model)."""
    if label := following.class_model(symbol):
        return label
    symbols = following.registry.symbols
    registered = (d.steps[-1] for d in symbols.class_of(symbol).decorators if d.steps[-1].name == "register")
    values = (value for step in registered for value in step.args)
    return next((label for value in values if (label := following.model_of(symbols.file_of(symbol), value))), "")
