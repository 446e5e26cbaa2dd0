"""What the ORM is asked along a chain of names and calls: which models it reads, writes, joins and walks over to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from strangler.analysis.composed import Composed
from strangler.analysis.facts import Chain, Named, Step, Value
from strangler.analysis.given import Given
from strangler.analysis.handed import Handed
from strangler.analysis.models import Registry, label_outside
from strangler.analysis.symbols import File, Symbol
from strangler.analysis.typed import Does, Typed, Use
from strangler.analysis.walk import Walk

_PARTS = ("form_class", "serializer_class")


@dataclass(kw_only=True)
class Following:
    """Follows the chains of a project."""

    registry: Registry
    managed: dict[Symbol, str] = field(default_factory=dict)
    """Managers' and query sets' classes, to the one model that uses them."""
    managers: Mapping[str, Sequence[Symbol]] = field(default_factory=dict)
    """Those of each model."""
    fetching: frozenset[str] = frozenset()
    """Models whose managers fetch other rows with theirs, whatever they are asked for."""
    instances: dict[Symbol, str] = field(default_factory=dict)
    """Receivers of signals, to the one model whose rows they are given as "instance"."""
    _about: dict[Symbol, str] = field(default_factory=dict)
    _uses: dict[int, list[Use]] = field(default_factory=dict)
    given: Given = field(init=False)
    """What it follows beyond what is declared."""
    handed: Handed = field(init=False)
    composed: Composed = field(init=False)

    def uses(self, file: File, chain: Chain) -> list[Use]:
        """All that a chain asks of models, in order."""
        if id(chain) not in self._uses:  # chains live as long as the project
            self._uses[id(chain)] = self._used(file, chain)
        return self._uses[id(chain)]

    def type_of(
        self, file: File, scope: str, steps: list[Step], depth: int = 0, owner: Symbol | None = None
    ) -> Typed | None:
        """What a chain stands at in the end; "owner" is the class of "self" where that inherits the code."""
        return Walk(following=self, file=file, scope=scope, depth=depth, owner=owner).follow(steps)

    def model_of(self, file: File, value: Value, scope: str = "", owner: Symbol | None = None) -> str:
        """The label of the model that a value is: a class, a name in a text, a loaded one; empty for anything else."""
        if isinstance(value, Named):
            at = self.type_of(file, scope, [Step(name=part) for part in value.split(".")])
            if at is None and value.rpartition(".")[2] == "AUTH_USER_MODEL":
                return self.registry.user
            return at.label if at is not None and at.what == "model" else ""
        if isinstance(value, str):
            label = self.registry.find(value)
            return label if label in self.registry.models else ""
        at = self.type_of(file, scope, value, owner=owner) if isinstance(value, list) else None
        return at.label if at is not None else ""

    def __post_init__(self) -> None:
        self.given = Given(following=self)
        self.handed = Handed(following=self)
        self.composed = Composed(following=self)

    def learn(self) -> None:
        """See what all functions give and all classes are about, in one order: in circles the answers depend on it."""
        for file in self.registry.symbols.files.values():
            for name in file.functions:
                self.given.by_function(Symbol(file.module.name, name, "function"))
            for name in file.classes:
                self.class_model(Symbol(file.module.name, name, "class"))

    def of_class(self, label: str, what: str = "model") -> Typed | None:
        """A model of a label, or a row or set of its; None where the label is empty."""
        return Typed(what, label) if label else None

    def class_model(self, symbol: Symbol) -> str:
        """The model that a class is about: by what it says, what its queries give, its form, or whose field it is."""
        if symbol not in self._about:
            self._about[symbol] = ""  # where its queries ask for it in turn
            self._about[symbol] = (
                self._declared(symbol)
                or self.given.of_queries(symbol)
                or self._of_parts(symbol)
                or self.composed.nested(symbol)
            )
        return self._about[symbol]

    def _declared(self, symbol: Symbol) -> str:
        for base in self.registry.symbols.ancestors(symbol):
            if base.kind != "class":
                continue
            found, file = self.registry.symbols.class_of(base), self.registry.symbols.file_of(base)
            for value in (found.attributes.get("model"), found.attributes.get("queryset"), found.meta.get("model")):
                if value is not None and (label := self.model_of(file, value)):
                    return label
        return ""

    def _of_parts(self, symbol: Symbol) -> str:
        """The model that the form or the serializer of a view is about."""
        for base in self.registry.symbols.ancestors(symbol):
            found = self.registry.symbols.class_of(base) if base.kind == "class" else None
            for name in _PARTS if found is not None else ():
                value = found.attributes.get(name) if found is not None else None
                part = self.registry.symbols.find_in(base.module, value) if isinstance(value, Named) else None
                if part is not None and part.kind == "class":
                    return self.class_model(part)
        return ""

    def named(self, file: File, dotted: str, depth: int = 0) -> Typed:
        """What a name within a file stands for."""
        symbol = self.registry.symbols.find_in(file.module.name, dotted)
        if symbol.kind in ("class", "value") and (model := self.registry.of(symbol)) is not None:
            return Typed("model", model.label)
        if symbol.kind == "value":
            where = self.registry.symbols.file_of(symbol)
            value = where.facts.assigned.get(symbol.name)
            if isinstance(value, list) and (at := self.type_of(where, "", value, depth + 1)) is not None:
                return at
        if symbol.kind == "outside" and (label := label_outside(symbol.name)) in self.registry.models:
            return Typed("model", label)
        return Typed("symbol", symbol=symbol)

    def _used(self, file: File, chain: Chain) -> list[Use]:
        walk = Walk(following=self, file=file, scope=chain.scope, steps=chain.steps)
        at = walk.follow(chain.steps)
        last = walk.found[-1] if walk.found else None
        if chain.stored and at is not None and at.what == "set" and last is not None and last.does is Does.NAVIGATE:
            if at.links:  # these are set; nobody goes to the other rows
                walk.found.pop()
            walk.note(Does.WRITE, at.links or at.label, chain.steps[-1], f"{chain} =")
        if chain.stored and walk.found and walk.found[-1].does is Does.NAVIGATE and at is not None and at.what == "row":
            return walk.found[:-1]  # the row itself is changed; nobody goes to the other one
        return walk.found
