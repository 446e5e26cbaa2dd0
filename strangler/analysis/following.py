"""What the ORM is asked along a chain of names and calls: which models it reads, writes, joins and walks over to."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field

from strangler.analysis.facts import Chain, Named, Step, Value
from strangler.analysis.lookups import hops_of_call
from strangler.analysis.models import Registry, label_outside
from strangler.analysis.symbols import File, Symbol

_DEEPEST = 6
_TO_ROW = frozenset({"get", "first", "last", "create", "latest", "earliest", "get_or_create", "update_or_create", "[]"})
_TO_NOTHING = frozenset({"count", "exists", "aggregate", "update", "delete", "bulk_update", "explain", "values_list"})
_WRITES = frozenset(
    {"create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
    | {"acreate", "aupdate", "adelete", "aget_or_create", "aupdate_or_create"}
)
_ROW_WRITES = frozenset({"save", "delete", "asave", "adelete"})
_LINKS = frozenset({"add", "remove", "set", "clear", "aadd", "aremove", "aset", "aclear"})
_SHORTCUTS = frozenset({"get_object_or_404", "get_list_or_404", "aget_object_or_404"})
_OF_CLASS = {
    "model": "model",
    **dict.fromkeys(("queryset", "get_queryset", "object_list", "filter_queryset"), "set"),
    **dict.fromkeys(("object", "get_object", "instance"), "row"),
}


class Does(enum.Enum):
    """What is asked of a model."""

    READ = enum.auto()
    WRITE = enum.auto()
    JOIN = enum.auto()
    NAVIGATE = enum.auto()


@dataclass(frozen=True, kw_only=True)
class Use:
    """Something that is asked of a model. "of" is the model that it comes from, where there is one."""

    does: Does
    model: str
    line: int
    detail: str
    of: str = ""


@dataclass(frozen=True)
class Typed:
    """What a chain stands at: a model's class, one of its rows, a set of them, or something by its symbol."""

    what: str
    """ "model", "row", "set", "symbol" or "self"."""
    label: str = ""
    symbol: Symbol | None = None


@dataclass(kw_only=True)
class Following:
    """Follows the chains of a project."""

    registry: Registry
    managed: dict[Symbol, str] = field(default_factory=dict)
    """Managers' and query sets' classes, to the one model that uses them."""
    instances: dict[Symbol, str] = field(default_factory=dict)
    """Receivers of signals, to the one model whose rows they are given as "instance"."""

    def uses(self, file: File, chain: Chain) -> list[Use]:
        """All that a chain asks of models, in order."""
        walk = _Walk(self, file, chain.scope)
        at = walk.follow(chain.steps)
        if chain.stored and at is not None and at.what == "set":
            walk.note(Does.WRITE, at.label, chain.steps[-1], f"{chain} =")
        if chain.stored and walk.found and walk.found[-1].does is Does.NAVIGATE and at is not None and at.what == "row":
            return walk.found[:-1]  # the row itself is changed; nobody goes to the other one
        return walk.found

    def type_of(self, file: File, scope: str, steps: list[Step], depth: int = 0) -> Typed | None:
        """What a chain stands at in the end."""
        return _Walk(self, file, scope, depth).follow(steps)

    def model_of(self, file: File, value: Value, scope: str = "") -> str:
        """The label of the model that a value is: a class, a name in a text, a loaded one; empty for anything else."""
        if isinstance(value, Named):
            at = self.type_of(file, scope, [Step(name=part) for part in value.split(".")])
            if at is None and value.rpartition(".")[2] == "AUTH_USER_MODEL":
                return self.registry.user
            return at.label if at is not None and at.what == "model" else ""
        if isinstance(value, str):
            label = self.registry.find(value)
            return label if label in self.registry.models else ""
        at = self.type_of(file, scope, value) if isinstance(value, list) else None
        return at.label if at is not None else ""

    def class_model(self, symbol: Symbol) -> str:
        """The model that a class is about: by its "model", its "queryset", or its Meta."""
        for base in self.registry.symbols.ancestors(symbol):
            if base.kind != "class":
                continue
            found, file = self.registry.symbols.class_of(base), self.registry.symbols.file_of(base)
            for value in (found.attributes.get("model"), found.attributes.get("queryset"), found.meta.get("model")):
                if value is not None and (label := self.model_of(file, value)):
                    return label
        return ""

    def named(self, file: File, dotted: str, depth: int = 0) -> Typed:
        """What a name within a file stands for."""
        symbol = self.registry.symbols.find_in(file.module.name, dotted)
        if symbol.kind == "class" and (model := self.registry.of(symbol)) is not None:
            return Typed("model", model.label)
        if symbol.kind == "value":
            where = self.registry.symbols.file_of(symbol)
            value = where.facts.assigned.get(symbol.name)
            if isinstance(value, list) and (at := self.type_of(where, "", value, depth + 1)) is not None:
                return at
        if symbol.kind == "outside" and (label := label_outside(symbol.name)) in self.registry.models:
            return Typed("model", label)
        return Typed("symbol", symbol=symbol)


class _Walk:
    """One chain on its way."""

    def __init__(self, following: Following, file: File, scope: str, depth: int = 0) -> None:
        self.found: list[Use] = []
        self._following = following
        self._registry = following.registry
        self._file = file
        self._scope = scope
        self._depth = depth

    def note(self, does: Does, model: str, step: Step, detail: str, of: str = "") -> None:
        """Something is asked of a model."""
        self.found.append(Use(does=does, model=model, line=step.line, detail=detail, of=of))

    def follow(self, steps: list[Step]) -> Typed | None:
        """What the chain stands at in the end; None where nobody knows."""
        if self._depth > _DEEPEST:
            return None
        at, number = self._start(steps)
        for step in steps[number:]:
            if at is None:
                return None
            at = self._step(at, step)
        return at

    def _start(self, steps: list[Step]) -> tuple[Typed | None, int]:
        """What the chain begins with, and how many steps that took."""
        first = steps[0].name
        if first.startswith("@"):
            return self._instance(first[1:]), 1
        if first == "?instance" and (label := self._received()):
            return Typed("row", label), 1
        if first.startswith("?"):
            return self._unknown(first[1:], steps)
        return (self._self(), 1) if first in ("self", "cls", "super") else self._named(steps)

    def _named(self, steps: list[Step]) -> tuple[Typed | None, int]:
        dotted = ""
        for number, step in enumerate(steps):
            if step.name in ("[]", "()"):
                return None, number
            dotted = f"{dotted}.{step.name}" if dotted else step.name
            at = self._following.named(self._file, dotted, self._depth)
            if step.called:
                return self._called(at, step, dotted), number + 1
            if at.what != "symbol":
                return at, number + 1
        return None, len(steps)

    def _called(self, at: Typed, step: Step, dotted: str) -> Typed | None:
        """What a call of something with a name gives."""
        if step.name == "get_user_model":
            return Typed("model", self._registry.user)
        if step.name in ("get_model", "get_registered_model"):
            texts = [arg for arg in step.args if isinstance(arg, str) and not isinstance(arg, Named)]
            label = self._registry.find(".".join(texts[:2])) if texts else ""
            return Typed("model", label) if label in self._registry.models else None
        if step.name in _SHORTCUTS and step.args:
            return self._shortcut(step)
        if at.what == "model":
            self.note(Does.READ, at.label, step, f"{dotted}()")
            return Typed("row", at.label)
        return Typed("self", symbol=at.symbol) if at.symbol is not None and at.symbol.kind == "class" else None

    def _shortcut(self, step: Step) -> Typed | None:
        label = self._following.model_of(self._file, step.args[0], self._scope)
        if not label:
            return None
        self.note(Does.READ, label, step, f"{step.name}()")
        self._hops(label, Step(name="filter", line=step.line, keywords=step.keywords))
        return Typed("row", label)

    def _instance(self, dotted: str) -> Typed | None:
        at = self._following.named(self._file, dotted)
        if at.what == "model":
            return Typed("row", at.label)
        return Typed("self", symbol=at.symbol) if at.symbol is not None and at.symbol.kind == "class" else None

    def _received(self) -> str:
        return self._following.instances.get(Symbol(self._file.module.name, self._scope, "function"), "")

    def _self(self) -> Typed | None:
        parts = self._scope.split(".")
        for length in range(len(parts), 0, -1):
            symbol = Symbol(self._file.module.name, ".".join(parts[:length]), "class")
            if symbol.name not in self._file.classes:
                continue
            if (model := self._registry.of(symbol)) is not None:
                return Typed("row", model.label)
            managed = self._following.managed.get(symbol)
            return Typed("set", managed) if managed else Typed("self", symbol=symbol)
        return None

    def _unknown(self, name: str, steps: list[Step]) -> tuple[Typed | None, int]:
        """A local that nobody declared: request.user, or one that is called like a model and used like it."""
        if len(steps) == 1:
            return None, 1
        if name == "request" and steps[1].name == "user":
            return Typed("row", self._registry.user), 2
        models, wanted = self._registry.models, name.replace("_", "").lower()
        labels = [
            label
            for label in models
            if label.rpartition(".")[2].lower() == wanted
            and (steps[1].name in models[label].relations or self._registry.accessor(label, steps[1].name))
        ]
        return (Typed("row", labels[0]), 1) if len(labels) == 1 else (None, len(steps))

    def _step(self, at: Typed, step: Step) -> Typed | None:
        match at.what:
            case "model":
                return self._of_model(at.label, step)
            case "set":
                return self._of_set(at.label, step)
            case "row":
                return self._of_row(at.label, step)
        return self._of_class(at.symbol, step) if at.what == "self" and at.symbol is not None else None

    def _of_model(self, label: str, step: Step) -> Typed | None:
        if step.name in self._registry.models[label].managers:
            self.note(Does.READ, label, step, step.name)
            return Typed("set", label)
        return None

    def _of_set(self, label: str, step: Step) -> Typed | None:
        if step.called:
            if step.name in _WRITES or step.name in _LINKS:
                self.note(Does.WRITE, label, step, f"{step.name}()")
            self._hops(label, step)
        if step.name in _TO_ROW:
            return Typed("row", label)
        goes_on = step.name == "[]" or (step.called and step.name not in _TO_NOTHING and step.name not in _LINKS)
        return Typed("set", label) if goes_on else None

    def _of_row(self, label: str, step: Step) -> Typed | None:
        if step.name in _ROW_WRITES and step.called:
            self.note(Does.WRITE, label, step, f"{step.name}()")
            return None
        relation = self._registry.models[label].relations.get(step.name)
        if relation is not None and relation.target:
            self.note(Does.NAVIGATE, relation.target, step, f".{step.name}", of=label)
            many = relation.kind in ("many-to-many", "generic relation")
            known = relation.target in self._registry.models
            return Typed("set" if many else "row", relation.target) if known else None
        if (reverse := self._registry.accessor(label, step.name)) is not None:
            self.note(Does.NAVIGATE, reverse.label, step, f".{step.name}", of=label)
            return Typed("row" if reverse.one else "set", reverse.label)
        managed = step.name in self._registry.models[label].managers and not step.called
        return Typed("set", label) if managed else None  # of a model's class method, or type(self)

    def _of_class(self, symbol: Symbol, step: Step) -> Typed | None:
        """What views, forms, serializers and the like have by convention, or as an attribute of their class."""
        if step.name == "request":
            return Typed("self", symbol=symbol)
        if step.name == "user" and not step.called:
            return Typed("row", self._registry.user)
        if (what := _OF_CLASS.get(step.name)) is not None:
            label = self._following.class_model(symbol)
            return Typed(what, label) if label else None
        for base in self._registry.symbols.ancestors(symbol):
            if base.kind == "class":
                where = self._registry.symbols.file_of(base)
                value = self._registry.symbols.class_of(base).attributes.get(step.name)
                if isinstance(value, list):
                    return self._following.type_of(where, base.name, value, self._depth + 1)
                if isinstance(value, Named):
                    label = self._following.model_of(where, value)
                    return Typed("model", label) if label else None
        return None

    def _hops(self, label: str, step: Step) -> None:
        for hop in hops_of_call(self._registry, label, step):
            self.note(Does.JOIN, hop.target, step, f"{step.name}: {hop.path}", of=hop.source)


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
