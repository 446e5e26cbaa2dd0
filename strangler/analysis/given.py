"""What functions give and objects hold where nobody declared it: by their annotations, returns and assignments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from strangler.analysis.facts import Function, Named, Step, Value
from strangler.analysis.symbols import File, Symbol
from strangler.analysis.typed import Typed

if TYPE_CHECKING:
    from strangler.analysis.following import Following

_PROPERTIES = ("property", "cached_property")
_REQUEST = Symbol("", "request", "value")
_DEEPEST = 12
_RETURNS = 3
"""Of a function with more of them, these are looked at."""


@dataclass(kw_only=True)
class Given:
    """Asks the one that follows chains what stands at the ends of those that a function returns."""

    following: Following
    _given: dict[tuple[Symbol, str, bool], Typed | None] = field(default_factory=dict)
    _depth: int = 0

    def by_function(self, symbol: Symbol) -> Typed | None:
        """What a call of a function gives; None where its returns do not agree or nobody can tell."""
        return self._once((symbol, "", True), lambda: self._by_function(symbol))

    def given_back(self, symbol: Symbol, step: Step) -> Value:
        """The argument of a call that the function gives back, whatever it is given; None where it does not."""
        function = self.following.registry.symbols.file_of(symbol).functions[symbol.name]
        names = {steps[0].name for steps in function.returned if len(steps) == 1}
        if len(names) != 1 or any(len(steps) != 1 for steps in function.returned):
            return None
        name, parameters = names.pop().removeprefix("?"), list(function.parameters)
        if name not in parameters:
            return None
        at = parameters.index(name)
        return step.args[at] if at < len(step.args) else step.keywords.get(name)

    def by_member(self, symbol: Symbol, step: Step) -> Typed | None:
        """What an object of a class has under a name: an attribute of the class, a method, or its own."""
        return self._once((symbol, step.name, step.called), lambda: self._by_member(symbol, step))

    def of_queries(self, symbol: Symbol) -> str:
        """The label of the model that a class's own get_queryset() or get_object() gives; empty for none."""
        for name in ("get_queryset", "get_object"):
            at = self.by_member(symbol, Step(name=name, called=True))
            if at is not None and at.what in ("row", "set"):
                return at.label
        return ""

    def of_manager(self, label: str, step: Step) -> list[Typed | None]:
        """What a method of a model's own managers gives, as one value; nothing where they have no such method."""
        symbols = self.following.registry.symbols
        for symbol in self.following.managers.get(label, ()):
            if f"{symbol.name}.{step.name}" in symbols.file_of(symbol).functions:
                return [self.by_member(symbol, step)]
        return []

    def on_request(self, name: str) -> Typed | None:
        """What the project's code puts on requests under a name, as middleware does."""
        return self._once((_REQUEST, name, False), lambda: self._on_request(name))

    def _on_request(self, name: str) -> Typed | None:
        found = set()
        for file in self.following.registry.symbols.files.values():
            for chain in file.facts.requests.get(name, ()) if not file.module.is_test else ():
                found.add(self.following.type_of(file, chain.scope, chain.steps))
        return Typed.one_of([one for one in found if one is not None])

    def _once(self, key: tuple[Symbol, str, bool], find: Callable[[], Typed | None]) -> Typed | None:
        if key not in self._given and self._depth < _DEEPEST:
            self._given[key] = None  # where it asks for itself
            self._depth += 1
            self._given[key] = find()
            self._depth -= 1
        return self._given.get(key)

    def _by_function(self, symbol: Symbol, owner: Symbol | None = None) -> Typed | None:
        file = self.following.registry.symbols.file_of(symbol)
        function = file.functions[symbol.name]
        if function.result and (said := self._annotated(file, function.result)) is not None:
            return said
        chains = ((function.name, steps) for steps in function.returned[:_RETURNS])
        return self._agreed(file, chains, owner)

    def _by_member(self, symbol: Symbol, step: Step) -> Typed | None:
        symbols = self.following.registry.symbols
        for base in symbols.ancestors(symbol):
            if base.kind != "class":
                continue
            where, found = symbols.file_of(base), symbols.class_of(base)
            value = found.attributes.get(step.name)
            if isinstance(value, list):
                return self.following.type_of(where, base.name, value, owner=symbol)
            if isinstance(value, Named):
                return self.following.of_class(self.following.model_of(where, value))
            function = where.functions.get(f"{base.name}.{step.name}")
            if function is not None:
                asked = step.called != _is_property(function)
                return self._by_function(Symbol(base.module, function.name, "function"), symbol) if asked else None
            if (own := found.own.get(step.name)) is not None:
                return self._agreed(where, [(own.scope, own.steps)], symbol)
        return None

    def _annotated(self, file: File, result: str) -> Typed | None:
        at = self.following.named(file, result.removeprefix("*"))
        return self.following.of_class(at.label, "set" if result.startswith("*") else "row")

    def _agreed(self, file: File, chains: Iterable[tuple[str, list[Step]]], owner: Symbol | None) -> Typed | None:
        given = {self.following.type_of(file, scope, steps, owner=owner) for scope, steps in chains}
        found = [one for one in given if one is not None]
        return Typed.one_of(found) or _of_parts(found)


def _of_parts(found: list[Typed]) -> Typed | None:
    """Of tuples of one length the parts that agree: nothing, in one of them, is no answer of its own."""
    if not found or any(one.what != "parts" or len(one.parts) != len(found[0].parts) for one in found):
        return None
    parts = ({*given} - {None} for given in zip(*(one.parts for one in found), strict=True))
    return replace(found[0], parts=tuple(given.pop() if len(given) == 1 else None for given in parts))


def _is_property(function: Function) -> bool:
    return any(decorator.steps[-1].name in _PROPERTIES for decorator in function.decorators)
