"""What the parameters of functions hold where no annotation says it: what those hand over who call them, or views."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from strangler.analysis import guessing
from strangler.analysis.facts import Function, Named, Step, chain_of
from strangler.analysis.symbols import File, Symbol
from strangler.analysis.typed import Typed

if TYPE_CHECKING:
    from strangler.analysis.following import Following

_OWN = ("self", "cls")
_WHAT = ("row", "set", "model", "either")
_DEEPEST = 4
_CALLS = 20
"""Of a function that is called from more places, these are looked at."""


@dataclass(frozen=True)
class _Call:
    file: File
    scope: str
    names: tuple[str, ...]
    step: Step


@dataclass(kw_only=True)
class Handed:
    """Looks the calls of a function up by its name, and follows what they are given."""

    following: Following
    _calls: dict[str, list[_Call]] | None = None
    _views: dict[Symbol, list[Symbol]] | None = None
    _known: dict[tuple[str, str, str], Typed | None] = field(default_factory=dict)
    _depth: int = 0

    def parameter(self, file: File, scope: str, name: str) -> Typed | None:
        """A row, set or model that a function's parameter is, by the calls that tell; None where these differ."""
        function = _with_parameter(file, scope, name)
        if function is None:
            return None
        key = (file.module.name, function.name, name)
        if key not in self._known and self._depth < _DEEPEST:
            self._known[key] = None  # where it calls itself
            self._depth += 1
            found = {at for at in self._given(file, function, name) if at is not None and at.what in _WHAT}
            self._depth -= 1
            self._known[key] = Typed.one_of(found)
        return self._known.get(key)

    def _given(self, file: File, function: Function, name: str) -> Iterator[Typed | None]:
        names = list(function.parameters)
        names = names[1:] if names[0] in _OWN and "." in function.name else names
        symbol = Symbol(file.module.name, function.name, "function")
        if function.name.endswith(".__init__"):
            yield from self._by_views(Symbol(file.module.name, function.name.rpartition(".")[0], "class"), name)
        calls = (call for call in self._by_name(symbol) if self._is_of(call, symbol))
        for _, call in zip(range(_CALLS), calls, strict=False):
            value = call.step.keywords.get(name)
            if value is None and name in names[: len(call.step.args)]:
                value = call.step.args[names.index(name)]
            if steps := chain_of(value):
                yield self.following.type_of(call.file, call.scope, steps, self._depth)

    def _by_views(self, form: Symbol, name: str) -> Iterator[Typed | None]:
        """What the views of a form put into the keywords that it is called with, as get_form_kwargs() does."""
        symbols = self.following.registry.symbols
        for view in self._views_of(form):
            for base in symbols.ancestors(view):
                if base.kind != "class":
                    continue
                file = symbols.file_of(base)
                for chain in file.facts.keywords.get(name, ()):
                    if chain.scope.rpartition(".")[0] == base.name:
                        yield self.following.type_of(file, chain.scope, chain.steps, self._depth, view)

    def _views_of(self, form: Symbol) -> list[Symbol]:
        """The classes that name a form, or an heir of it, as theirs."""
        if self._views is None:
            self._views = {}
            symbols = self.following.registry.symbols
            for file in symbols.files.values():
                for found in file.classes.values() if not file.module.is_test else ():
                    value = found.attributes.get("form_class")
                    named = symbols.find_in(file.module.name, value) if isinstance(value, Named) else None
                    for base in symbols.ancestors(named) if named is not None else ():
                        self._views.setdefault(base, []).append(Symbol(file.module.name, found.name, "class"))
        return self._views.get(form, [])

    def _by_name(self, symbol: Symbol) -> list[_Call]:
        if self._calls is None:
            self._calls = {}
            for file in self.following.registry.symbols.files.values():
                for chain in file.facts.chains if not file.module.is_test else ():
                    last, names = chain.steps[-1], tuple(step.name for step in chain.steps)
                    if last.called and (last.args or last.keywords) and not any(one.called for one in chain.steps[:-1]):
                        self._calls.setdefault(last.name, []).append(_Call(file, chain.scope, names, last))
        owner, _, last_name = symbol.name.rpartition(".")
        return self._calls.get(owner.rpartition(".")[2] if last_name == "__init__" else last_name, [])

    def _is_of(self, call: _Call, symbol: Symbol) -> bool:
        symbols = self.following.registry.symbols
        owner, _, name = symbol.name.rpartition(".")
        if call.names[0] in _OWN:
            at = guessing.class_at(call.file, call.scope) if len(call.names) == 2 and owner else None
            classes = [one for one in symbols.ancestors(at) if one.kind == "class"] if at is not None else []
            having = (one for one in classes if f"{one.name}.{name}" in symbols.file_of(one).functions)
            return next(having, None) == Symbol(symbol.module, owner, "class")
        found = symbols.find_in(call.file.module.name, ".".join(call.names))
        return found == (Symbol(symbol.module, owner, "class") if name == "__init__" else symbol)


def _with_parameter(file: File, scope: str, name: str) -> Function | None:
    """The innermost function around that has it."""
    parts = scope.split(".")
    for length in range(len(parts), 0, -1):
        function = file.functions.get(".".join(parts[:length]))
        if function is not None and name in function.parameters:
            return function
    return None
