"""What classes hold that others put together: forms kept by a key, rows by who lists them, what they are a field of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from strangler.analysis import guessing
from strangler.analysis.facts import Chain, Named, Step, Value
from strangler.analysis.symbols import File, Symbol

if TYPE_CHECKING:
    from strangler.analysis.following import Following


@dataclass(kw_only=True)
class Composed:
    """Of all classes of a project. Remembers what it found."""

    following: Following
    _forms: dict[Symbol, dict[str, Symbol]] = field(default_factory=dict)
    _fields: dict[Symbol, list[tuple[Symbol, str]]] | None = None
    _lists: dict[Symbol, list[Symbol]] | None = None
    _rows: dict[Symbol, tuple[str, ...]] = field(default_factory=dict)
    _chains: dict[str, dict[str, list[Chain]]] = field(default_factory=dict)

    def form(self, file: File, scope: str, key: Value) -> Symbol | None:
        """The form that a class names beside a key, where one of its methods asks for it: form["address"]."""
        symbol = guessing.class_at(file, scope)
        if symbol is None or not isinstance(key, str):
            return None
        for base in self.following.registry.symbols.ancestors(symbol):
            if base.kind == "class" and (found := self._named_in(base).get(key)) is not None:
                return found
        return None

    def rows(self, symbol: Symbol) -> tuple[str, ...]:
        """The models one of whose rows a class without a model of its own is made with, as "object" or the like.

        They are those that the classes are about which list it, or that the forms are of which it gives the row to.
        """
        if symbol not in self._rows:
            self._rows[symbol] = ()  # where its own forms ask for it
            if self._is_given(symbol) and not self.following.class_model(symbol):
                owners = (self.following.class_model(owner) for owner in self._listing(symbol))
                found = [label for label in owners if label] or self._instances(symbol)
                self._rows[symbol] = tuple(dict.fromkeys(found))
        return self._rows[symbol]

    def nested(self, symbol: Symbol) -> str:
        """The model of a serializer that says none: what the relation leads to whose field it is in another one."""
        registry, labels = self.following.registry, set()
        for owner, source in self._having(symbol) if guessing.is_form(registry.symbols, symbol) else ():
            label = self.following.class_model(owner)
            for part in source.split("."):
                label = registry.target(label, part) if label else ""
            labels |= {label} - {""}
        return labels.pop() if len(labels) == 1 else ""

    def _having(self, symbol: Symbol) -> list[tuple[Symbol, str]]:
        """(a class that has an object of this one as a field, where that is taken from)."""
        if self._fields is None:
            self._fields = {}
            symbols = self.following.registry.symbols
            for file in symbols.files.values():
                for found in file.classes.values() if not file.module.is_test else ():
                    owner = Symbol(file.module.name, found.name, "class")
                    calls = ((name, one) for name, one in found.attributes.items() if isinstance(one, list))
                    for name, steps in calls:
                        inner = symbols.find_in(file.module.name, ".".join(step.name for step in steps))
                        source = steps[-1].keywords.get("source", name)
                        if inner.kind == "class" and isinstance(source, str):
                            self._fields.setdefault(inner, []).append((owner, source))
        return self._fields.get(symbol, [])

    def _is_given(self, symbol: Symbol) -> bool:
        symbols = self.following.registry.symbols
        classes = [base for base in symbols.ancestors(symbol) if base.kind == "class"]
        given = (symbols.class_of(base).own.get(name) for base in classes for name in guessing.ROWS)
        return any(own is not None and own.steps[0].name.strip("?") in guessing.ROWS for own in given)

    def _listing(self, symbol: Symbol) -> list[Symbol]:
        """The classes that name a class in their attributes, append it to a list, or name a dictionary's key for it."""
        if self._lists is None:
            self._lists = {}
            under: dict[str, list[Symbol]] = {}
            keyed: list[tuple[str, Symbol]] = []
            symbols = self.following.registry.symbols
            for file in symbols.files.values():
                for found in file.classes.values() if not file.module.is_test else ():
                    owner, values = Symbol(file.module.name, found.name, "class"), tuple(found.attributes.values())
                    for listed in (symbols.find_in(file.module.name, name) for name in _names(values)):
                        self._lists.setdefault(listed, []).append(owner)
                    keyed += [(value, owner) for value in values if isinstance(value, str)]
                    for key, value in (pair for one in values if isinstance(one, dict) for pair in one.items()):
                        under.setdefault(key, []).extend(self._loaded(value))
                    for chain in self._in(file, found.name):
                        if chain.steps[-1].name == "append":
                            for name in _names(chain.steps[-1].args):
                                self._lists.setdefault(symbols.find_in(file.module.name, name), []).append(owner)
            for key, owner in keyed:
                for listed in under.get(key, ()):
                    self._lists.setdefault(listed, []).append(owner)
        return self._lists.get(symbol, [])

    def _loaded(self, value: Value) -> Iterator[Symbol]:
        """The classes that texts are the dotted names of, also with a colon before the class."""
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and not isinstance(text, Named) and "." in text:
                found = self.following.registry.symbols.named(text.replace(":", "."))
                if found is not None and found.kind == "class":
                    yield found

    def _instances(self, symbol: Symbol) -> list[str]:
        """The models of the forms that a class's own methods give its row to, as instance=self.object."""
        file = self.following.registry.symbols.file_of(symbol)
        found = []
        for chain in self._in(file, symbol.name):
            call = chain.steps[-1]
            given = [call.keywords.get("instance")]
            given += [one.get("instance") for one in (*call.args, *call.keywords.values()) if isinstance(one, dict)]
            if any(isinstance(one, Named) and one.removeprefix("self.") in guessing.ROWS for one in given):
                values = (*call.args, *call.keywords.values(), Named(".".join(step.name for step in chain.steps)))
                forms = (form for value in values if (form := self._form(file, value)) is not None)
                found += [label for form in forms if (label := self.following.class_model(form))]
        return found

    def _named_in(self, symbol: Symbol) -> dict[str, Symbol]:
        if symbol not in self._forms:
            self._forms[symbol] = {}
            file = self.following.registry.symbols.file_of(symbol)
            for key, form in self._pairs(file, symbol):
                self._forms[symbol].setdefault(key, form)
        return self._forms[symbol]

    def _pairs(self, file: File, symbol: Symbol) -> Iterator[tuple[str, Symbol]]:
        calls = (chain.steps[-1] for chain in self._in(file, symbol.name))
        attributes = self.following.registry.symbols.class_of(symbol).attributes
        groups: list[Value] = [(*call.args, *call.keywords.values()) for call in calls if call.called]
        for value in attributes.values():
            groups += value.items() if isinstance(value, dict) else [*value] if isinstance(value, tuple) else []
        for group in groups:
            parts = group if isinstance(group, tuple) else ()
            own = (attributes.get(one.removeprefix("self.")) if isinstance(one, Named) else None for one in parts)
            keys = [one for one in parts if isinstance(one, str)]
            forms = [form for one in (*parts, *own) if (form := self._form(file, one)) is not None] if keys else []
            yield from ((key, forms[0]) for key in keys[:1] if len(forms) == 1)

    def _form(self, file: File, value: Value) -> Symbol | None:
        symbols = self.following.registry.symbols
        found = symbols.find_in(file.module.name, value) if isinstance(value, Named) else None
        is_form = found is not None and found.kind == "class" and guessing.is_form(symbols, found)
        return found if is_form else None

    def _in(self, file: File, name: str) -> list[Chain]:
        """The calls in a class of a file."""
        if file.module.name not in self._chains:
            within = self._chains[file.module.name] = {}
            for chain in file.facts.chains:
                if chain.steps[-1].called and (owner := guessing.class_at(file, chain.scope)) is not None:
                    within.setdefault(owner.name, []).append(chain)
        return self._chains[file.module.name].get(name, [])


def key_of(step: Step) -> Value:
    """What is asked for in brackets: a text, or a name."""
    return step.args[0] if step.args else step.name[1:-1] if len(step.name) > 2 else None


def _names(values: tuple[Value, ...]) -> Iterator[Named]:
    for value in values:
        if isinstance(value, Named):
            yield value
        elif isinstance(value, tuple):
            yield from _names(value)
