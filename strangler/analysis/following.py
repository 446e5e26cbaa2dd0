"""What the ORM is asked along a chain of names and calls: which models it reads, writes, joins and walks over to."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from strangler.analysis import guessing
from strangler.analysis.composed import Composed, key_of
from strangler.analysis.facts import EACH, PARTS, Chain, Named, Step, Value
from strangler.analysis.formsets import FACTORIES, kind_of, model_given, step_of
from strangler.analysis.given import Given
from strangler.analysis.handed import Handed
from strangler.analysis.lookups import hops_of_call, queries_in
from strangler.analysis.loops import is_each
from strangler.analysis.models import Registry, label_outside
from strangler.analysis.symbols import File, Symbol

_DEEPEST = 6
_TO_ROW = frozenset(
    {"get", "first", "last", "create", "latest", "earliest", "get_or_create", "update_or_create", "[]", EACH}
)
_TO_NOTHING = frozenset({"count", "exists", "aggregate", "update", "delete", "bulk_update", "explain", "values_list"})
_STILL = frozenset({"distinct", "order_by", "filter", "exclude", "all", "values_list"})
_WITH_QUERIES = frozenset(
    {"filter", "exclude", "get", "annotate", "alias", "aggregate", "update", "union", "intersection", "difference"}
)
_WRITES = frozenset(
    {"create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
    | {"acreate", "aupdate", "adelete", "aget_or_create", "aupdate_or_create"}
)
_ROW_WRITES = frozenset({"save", "delete", "asave", "adelete"})
_LINKS = frozenset({"add", "remove", "set", "clear", "aadd", "aremove", "aset", "aclear"})
_MAKES = frozenset({"create", "acreate", "bulk_create"})
_SHORTCUTS = frozenset({"get_object_or_404", "get_list_or_404", "aget_object_or_404"})
_PASSED = ("klass", "queryset", "qs")
_PARTS = ("form_class", "serializer_class")
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
    each: bool = False
    """Whether it is asked anew for each row of a loop."""


@dataclass(frozen=True)
class Typed:
    """What a chain stands at: a model's class, one of its rows, a set of them, or something by its symbol."""

    what: str
    """ "model", "row", "set", "query" for values of a set, "relation" as a model's class has it, "symbol", or these:

    "self" is an object of a class, "factory" the class of a form or of a set of forms (its "links" says which) that
    has a model's rows, "form" and "forms" an object of it, "parts" a tuple, "perhaps" a row that is one of "parts".
    """
    label: str = ""
    symbol: Symbol | None = None
    links: str = ""
    """Of a set over a many-to-many field, whose table holds the links: the model that declares it, or its through."""
    parts: tuple[Typed | None, ...] = ()


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
        return _Walk(self, file, scope, depth, owner).follow(steps)

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
        """The model that a class is about: by its "model", "queryset" or Meta, what its queries give, or its form."""
        if symbol not in self._about:
            self._about[symbol] = ""  # where its queries ask for it in turn
            self._about[symbol] = self._declared(symbol) or self.given.of_queries(symbol) or self._of_parts(symbol)
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
        walk = _Walk(self, file, chain.scope)
        walk.steps = chain.steps
        at = walk.follow(chain.steps)
        if chain.stored and at is not None and at.what == "set":
            if at.links:  # these are set; nobody goes to the other rows
                walk.found.pop()
            walk.note(Does.WRITE, at.links or at.label, chain.steps[-1], f"{chain} =")
        if chain.stored and walk.found and walk.found[-1].does is Does.NAVIGATE and at is not None and at.what == "row":
            return walk.found[:-1]  # the row itself is changed; nobody goes to the other one
        return walk.found


class _Walk:
    """One chain on its way."""

    def __init__(
        self, following: Following, file: File, scope: str, depth: int = 0, owner: Symbol | None = None
    ) -> None:
        self.found: list[Use] = []
        self.steps: list[Step] = []
        self._following = following
        self._registry = following.registry
        self._file = file
        self._scope = scope
        self._depth = depth
        self._owner = owner

    def note(self, does: Does, model: str, step: Step, detail: str, of: str = "") -> None:
        """Something is asked of a model. Where rows are only made, nothing is read before."""
        before = self.found[-1] if self.found else None
        if step.name in _MAKES and does is Does.WRITE and before and (before.does, before.model) == (Does.READ, model):
            self.found.pop()
        each = does is Does.NAVIGATE and of not in self._following.fetching and is_each(self.steps, step)
        self.found.append(Use(does=does, model=model, line=step.line, detail=detail, of=of, each=each))

    def follow(self, steps: list[Step]) -> Typed | None:
        """What the chain stands at in the end; None where nobody knows."""
        if self._depth > _DEEPEST:
            return None
        at, number = self._start(steps)
        at = at or self._guessed(steps, number - 1)
        for index in range(number, len(steps)):
            if at is not None and at.what == "perhaps":
                at = self._surely(at, steps[index].name)
            if at is not None and at.what == "set" and self._is_of_row(at.label, steps[index]):
                at = Typed("row", at.label)  # a method of its manager gave one
            at = self._step(at, steps[index]) if at is not None else None
            at = at or self._guessed(steps, index)
        return at

    def _is_of_row(self, label: str, step: Step) -> bool:
        accessor = self._registry.accessor(label, step.name)
        return not step.called and (self._registry.inherited(label, step.name) is not None or accessor is not None)

    def _start(self, steps: list[Step]) -> tuple[Typed | None, int]:
        """What the chain begins with, and how many steps that took."""
        first = steps[0].name
        if first[:1] in ("@", "?", PARTS):
            return self._local(steps[0]), 1
        return (self._self(), 1) if first in ("self", "cls", "super") else self._named(steps)

    def _local(self, step: Step) -> Typed | None:
        """What a local is by its annotation, by isinstance(), or by who calls the function."""
        if step.name == PARTS:
            return Typed("parts", parts=tuple(self._of_value(value) for value in step.args))
        if step.name.startswith("@"):
            return self._narrowed(step) or self._instance(step.name[1:])
        if step.name == "?instance" and (label := self._received()):
            return Typed("row", label)
        return self._following.handed.parameter(self._file, self._scope, step.name[1:])

    def _named(self, steps: list[Step]) -> tuple[Typed | None, int]:
        dotted = ""
        for number, step in enumerate(steps):
            if step.name in ("[]", "()", EACH):
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
        if label := self._registry.loaded(step):
            return Typed("model", label) if label in self._registry.models else None
        if step.name in _SHORTCUTS and (given := step.args[:1] or self._passed(step)):
            return self._shortcut(step, given[0])
        if step.name in FACTORIES and (label := self._following.model_of(self._file, model_given(step), self._scope)):
            return Typed("factory", label, links=kind_of(step))
        return self._made(at) or self._given_by(at, step)

    def _made(self, at: Typed) -> Typed | None:
        """What a call of a class makes."""
        if at.what == "factory":
            return Typed(at.links, at.label)
        if at.what == "model":
            return Typed("row", at.label)  # nothing is asked yet; whoever saves it writes
        is_class = at.symbol is not None and at.symbol.kind == "class"
        return Typed("self", symbol=at.symbol) if is_class else None

    def _given_by(self, at: Typed, step: Step) -> Typed | None:
        """What a call of a function gives."""
        if at.symbol is None or at.symbol.kind != "function":
            return self._filtered(step)
        if (value := self._following.given.given_back(at.symbol, step)) is not None:
            return self._of_value(value)
        return self._following.given.by_function(at.symbol) or self._filtered(step)

    def _passed(self, step: Step) -> list[Value]:
        """The set that a call is given to take some of."""
        return [step.keywords[name] for name in _PASSED if name in step.keywords]

    def _shortcut(self, step: Step, given: Value) -> Typed | None:
        label = self._following.model_of(self._file, given, self._scope, self._owner)
        if not label:
            return None
        self.note(Does.READ, label, step, f"{step.name}()")
        self._hops(label, Step(name="filter", line=step.line, keywords=step.keywords))
        return Typed("row", label)

    def _filtered(self, step: Step) -> Typed | None:
        """Of a call that nobody knows: the set that it is given, which it gives back in part."""
        for value in self._passed(step):
            if isinstance(value, list):
                at = self._following.type_of(self._file, self._scope, value, self._depth + 1, self._owner)
                return at if at is not None and at.what == "set" else None
        return None

    def _instance(self, dotted: str) -> Typed | None:
        at = self._following.named(self._file, dotted.removeprefix("*"))
        if at.what == "model":
            return Typed("set" if dotted.startswith("*") else "row", at.label)
        is_class = at.symbol is not None and at.symbol.kind == "class"
        return self._object(at.symbol) if at.symbol is not None and is_class else None

    def _narrowed(self, step: Step) -> Typed | None:
        """What a local was before isinstance() told its class, where that is no model with rows of its own."""
        at = self._instance(step.name[1:]) if step.args else None
        model = self._registry.models.get(at.label) if at is not None and at.what == "row" else None
        return self._of_value(step.args[0]) if step.args and (model is None or model.abstract) else at

    def _of_value(self, value: Value) -> Typed | None:
        steps = [Step(name=part) for part in value.split(".")] if isinstance(value, Named) else value
        if not isinstance(steps, list):
            return None
        return self._following.type_of(self._file, self._scope, steps, self._depth + 1, self._owner)

    def _received(self) -> str:
        return self._following.instances.get(Symbol(self._file.module.name, self._scope, "function"), "")

    def _self(self) -> Typed | None:
        if self._owner is not None:
            return self._object(self._owner)
        symbol = guessing.class_at(self._file, self._scope)
        return self._object(symbol) if symbol is not None else None

    def _object(self, symbol: Symbol) -> Typed:
        if (model := self._registry.of(symbol)) is not None:
            return Typed("row", model.label)
        managed = self._following.managed.get(symbol)
        return Typed("set", managed) if managed else Typed("self", symbol=symbol)

    def _guessed(self, steps: list[Step], index: int) -> Typed | None:
        """A row, where a variable or attribute that nobody declared is called like a model and used like one."""
        if index < 0:
            return None
        step, after = steps[index], steps[index + 1].name if index + 1 < len(steps) else ""
        if step.name.startswith("[") and (form := self._following.composed.form(self._file, self._scope, key_of(step))):
            return Typed("self", symbol=form)
        perhaps = self._asked_for(step) if step.called else None
        if not after or (perhaps is not None and self._surely(perhaps, after) is not None):
            return perhaps
        if step.called and step.name[:1].isupper():
            return None  # an object of a class of which nobody knows that it is a model
        return self._by_name(step, after)

    def _by_name(self, step: Step, after: str) -> Typed | None:
        """What a name speaks of: a request, the form of a view, or the one model's row that has what comes next."""
        name = step.local or ("" if step.called else step.name.strip("?[]"))
        if name == "request" and after == "user":
            return Typed("self")
        if step.name == "?form" and (form := guessing.form_given(self._registry.symbols, self._file, self._scope)):
            return Typed("self", symbol=form)
        given = guessing.row_given(self._following, self._file, self._scope, name) if step.name[:1] == "?" else ""
        labels = [given] if given else self._registry.called(name)
        return self._surely(Typed("perhaps", parts=tuple(Typed("row", label) for label in labels)), after)

    def _asked_for(self, step: Step) -> Typed | None:
        """Perhaps a row of a model whose class, or among whose classes, a function was given that nobody knows."""
        if step.name[:1].isupper():
            return None
        values = [part for value in step.args for part in (value if isinstance(value, tuple) else (value,))]
        labels = [label for value in values if isinstance(value, Named) and (label := self._class_named(value))]
        return Typed("perhaps", parts=tuple(Typed("row", label) for label in labels)) if labels else None

    def _class_named(self, name: Named) -> str:
        if not name.rpartition(".")[2][:1].isupper():
            return ""
        at = self._following.named(self._file, name, self._depth)
        return at.label if at.what == "model" else ""

    def _surely(self, at: Typed, after: str) -> Typed | None:
        """The one row among those that it may be which has what comes next."""
        fit = [
            one
            for one in at.parts
            if one is not None
            and (self._registry.inherited(one.label, after) or self._registry.accessor(one.label, after))
        ]
        return fit[0] if len(fit) == 1 else None

    def _step(self, at: Typed, step: Step) -> Typed | None:
        match at.what:
            case "factory" | "form" | "forms" | "parts":
                return self._of_made(at, step)
            case "model":
                return self._of_model(at.label, step)
            case "set":
                return self._of_set(at, step)
            case "row":
                return self._of_row(at.label, step)
        return self._of_other(at, step)

    def _of_other(self, at: Typed, step: Step) -> Typed | None:
        if at.what == "query":
            return at if step.name == "[:]" or (step.called and step.name in _STILL) else None
        if at.what == "relation":
            self.note(Does.READ, at.label, step, f".{step.name}")
        if at.what == "self" and step.name == "user" and not step.called:
            return Typed("row", self._registry.user)
        return self._of_class(at.symbol, step) if at.what == "self" and at.symbol is not None else None

    def _of_made(self, at: Typed, step: Step) -> Typed | None:
        """One of a tuple, or something of a form or a set of forms that a factory made."""
        if at.what == "parts":
            named = {"[]": 0, **{f"{PARTS}{number}": number for number in range(1, len(at.parts))}}
            return at.parts[named[step.name]] if step.name in named and at.parts else None
        if at.what == "factory":
            return self._made(at) if step.name == "()" else None
        what = step_of(at.what, step)
        if step.name == "save" and step.called and "commit" not in step.keywords:
            self.note(Does.WRITE, at.label, step, "save()")
        return Typed(what, at.label) if what else None

    def _of_model(self, label: str, step: Step) -> Typed | None:
        model = self._registry.models[label]
        if step.name in model.managers:
            self.note(Does.READ, label, step, step.name)
            return Typed("set", label)
        return Typed("relation", label) if self._registry.inherited(label, step.name) and not step.called else None

    def _of_set(self, at: Typed, step: Step) -> Typed | None:
        label = at.label
        if step.called:
            if step.name in _WRITES or step.name in _LINKS:
                self.note(Does.WRITE, at.links if at.links and step.name in _LINKS else label, step, f"{step.name}()")
            self._hops(label, step)
        if step.name in _TO_ROW or step.name == EACH:
            return Typed("row", label)
        if step.name == "values_list" and step.called:
            return Typed("query", label)
        if step.called and (own := self._following.given.of_manager(label, step)):
            return own[0] or self._filtered(step)
        goes_on = step.name == "[:]" or (step.called and step.name not in _TO_NOTHING and step.name not in _LINKS)
        return Typed("set", label) if goes_on else None

    def _of_row(self, label: str, step: Step) -> Typed | None:
        if step.name in _ROW_WRITES and step.called:
            self.note(Does.WRITE, label, step, f"{step.name}()")
            return None
        relation = self._registry.inherited(label, step.name)
        if relation is not None and relation.target:
            self.note(Does.NAVIGATE, relation.target, step, f".{step.name}", of=label)
            many = relation.kind in ("many-to-many", "generic relation")
            known = relation.target in self._registry.models
            links = (relation.through or label) if relation.kind == "many-to-many" else ""
            return Typed("set" if many else "row", relation.target, links=links) if known else None
        if (reverse := self._registry.accessor(label, step.name)) is not None:
            self.note(Does.NAVIGATE, reverse.label, step, f".{step.name}", of=label)
            links = (reverse.relation.through or reverse.label) if reverse.relation.kind == "many-to-many" else ""
            return Typed("row" if reverse.one else "set", reverse.label, links=links)
        model = self._registry.models[label]
        if step.name in model.managers and not step.called:
            return Typed("set", label)  # of a model's class method, or type(self)
        return self._following.given.by_member(model.symbol, step) if model.symbol is not None else None

    def _of_class(self, symbol: Symbol, step: Step) -> Typed | None:
        """What views, forms, serializers and the like have by convention, or as an attribute of their class."""
        if step.name == "request":
            return Typed("self", symbol=symbol)
        if step.name == "get_model" and "model_name" in step.keywords:  # of an AppConfig
            label = self._registry.find(str(step.keywords["model_name"]), self._registry.apps.of(symbol.module).label)
            return Typed("model", label) if label in self._registry.models else None
        if (what := _OF_CLASS.get(step.name)) is not None and (label := self._following.class_model(symbol)):
            return Typed(what, label)
        if step.name == "save" and step.called and guessing.is_form(self._registry.symbols, symbol):
            return self._saved(symbol, step)
        return self._following.given.by_member(symbol, step) or self._row_given(symbol, step) or self._filtered(step)

    def _row_given(self, symbol: Symbol, step: Step) -> Typed | None:
        """The row that an object of a class is made with, by who lists the class."""
        labels = self._following.composed.rows(symbol) if step.name in guessing.ROWS and not step.called else ()
        if len(labels) == 1:
            return Typed("row", labels[0])
        return Typed("perhaps", parts=tuple(Typed("row", label) for label in labels)) if labels else None

    def _saved(self, symbol: Symbol, step: Step) -> Typed | None:
        """The row that a form gives; it is written, unless the form is told to leave that to others."""
        label = self._following.class_model(symbol)
        if not label:
            return None
        if "commit" not in step.keywords:
            self.note(Does.WRITE, label, step, "save()")
        return Typed("row", label)

    def _hops(self, label: str, step: Step) -> None:
        for hop in hops_of_call(self._registry, label, step):
            self.note(Does.JOIN, hop.target, step, f"{step.name}: {hop.path}", of=hop.source)
        if step.name in _WITH_QUERIES:
            for query in queries_in((*step.args, *step.keywords.values())):
                at = self._following.type_of(self._file, self._scope, query, self._depth + 1)
                if at is not None and at.what in ("set", "query") and at.label != label:
                    self.note(Does.JOIN, at.label, step, f"{step.name}: a query of {at.label}", of=label)


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
