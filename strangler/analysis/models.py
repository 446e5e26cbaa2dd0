"""The models of a project, their relations, and what the other side of each relation is called. Found in the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from strangler.analysis.apps import Apps
from strangler.analysis.configured import text, values
from strangler.analysis.facts import Class, Named, Step, Value
from strangler.analysis.symbols import Symbol, Symbols
from strangler.analysis.users import ABSTRACT_USERS, DJANGOS_BASE, DJANGOS_USER, OF_USERS

_NOT_MODELS = ("Form", "Serializer", "FilterSet", "Admin", "Factory", "Config", "TestCase", "Migration")
_LOADERS = ("get_model", "get_registered_model")
_DEEPEST = 10
_TARGET = ("to", "to_model", "othermodel")


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A field that refers to another model. "target" is a label, empty for a generic key."""

    name: str
    kind: str
    """ "foreign key", "one-to-one", "many-to-many", "generic key"."""
    target: str
    line: int
    module: str
    on_delete: str = ""
    accessor: str = ""
    """What the target calls the rows that refer to it; empty where it calls them nothing."""
    query: str = ""
    """What the target's lookups call them."""
    through: str = ""
    column: str = ""
    constrained: bool = True
    parent: bool = False
    """Whether it is the link to the table that the model inherits from."""
    stated: bool = True
    """Whether a line of the project states it; else its line is the model's."""


@dataclass(kw_only=True)
class Model:
    """A model, by its label "app.Name". "columns" are the names of its own and inherited plain fields."""

    label: str
    app: str
    symbol: Symbol | None
    path: str = ""
    line: int = 0
    abstract: bool = False
    proxy: bool = False
    managed: bool = True
    swapped: bool = False
    """Whether another model stands in its place."""
    table: str = ""
    parents: tuple[str, ...] = ()
    relations: dict[str, Relation] = field(default_factory=dict)
    columns: dict[str, int] = field(default_factory=dict)
    key: str = "id"
    """The name of its primary key."""
    managers: frozenset[str] = frozenset({"objects", "_default_manager", "_base_manager"})


@dataclass(frozen=True, kw_only=True)
class Reverse:
    """The other side of a relation: "one" is the row itself, not a set of them."""

    label: str
    relation: Relation
    one: bool


@dataclass(kw_only=True)
class Registry:
    """All models. Those of Django and other packages are known by label, where something refers to them."""

    symbols: Symbols
    apps: Apps
    user: str
    models: dict[str, Model]
    by_symbol: dict[Symbol, Model]
    accessors: dict[str, dict[str, Reverse]]
    queries: dict[str, dict[str, Reverse]]
    _by_lower: dict[str, str] = field(default_factory=dict)
    _by_name: dict[str, list[str]] = field(default_factory=dict)
    _made: dict[str, list[Model]] | None = None

    def of(self, symbol: Symbol) -> Model | None:
        """The model that a class is."""
        return self.by_symbol.get(symbol)

    def real(self) -> Iterator[Model]:
        """Those with rows of their own, of this project."""
        here = (model for model in self.models.values() if model.symbol is not None)
        return (model for model in here if not model.abstract and not model.swapped)

    def made_in(self, module: str) -> Iterator[Model]:
        """Models of a module that no class in its file is: only Django's registries know them."""
        if self._made is None:
            self._made = {}
            for model in self.real():
                if model.symbol is not None and model.symbol.kind == "made":
                    self._made.setdefault(model.symbol.module, []).append(model)
        return iter(self._made.get(module, ()))

    def relation(self, label: str, name: str) -> Relation | None:
        """A model's relation, also by its column's name."""
        model = self.models.get(label)
        if model is None:
            return None
        return model.relations.get(name) or (model.relations.get(name[:-3]) if name.endswith("_id") else None)

    def inherited(self, label: str, name: str) -> Relation | None:
        """A model's relation, or that of a model whose table it inherits or stands for."""
        seen = [label]
        for current in seen:
            model = self.models.get(current)
            if model is None:
                continue
            if (found := model.relations.get(name)) is not None:
                return found
            seen.extend(parent for parent in model.parents if parent not in seen)
        return None

    def accessor(self, label: str, name: str) -> Reverse | None:
        """What rows of a model, or of a model it inherits from, call those that refer to them."""
        return self._reverse(self.accessors, label, name)

    def query(self, label: str, name: str) -> Reverse | None:
        """The same in lookups."""
        return self._reverse(self.queries, label, name)

    def find(self, text: str, app: str = "") -> str:
        """The label of a model that a text names, "Name" being of "app"; as it stands where nobody knows it."""
        if "." not in text:
            text = f"{app}.{text}"
        if len(self._by_lower) != len(self.models):
            self._by_lower = {label.lower(): label for label in self.models}
        return self._by_lower.get(text.lower(), text)

    def called(self, name: str) -> Sequence[str]:
        """The labels of the models that a variable's name speaks of: "order_line" of "shop.OrderLine"."""
        if not self._by_name:
            for label in self.models:
                self._by_name.setdefault(label.rpartition(".")[2].lower(), []).append(label)
        return self._by_name.get(name.replace("_", "").lower(), ())

    def loaded(self, call: Step) -> str:
        """The label of the model that apps.get_model() and the like load; empty where that is none of these."""
        if call.name not in _LOADERS:
            return ""
        given = (*call.args, *(call.keywords[key] for key in ("app_label", "model_name") if key in call.keywords))
        texts = [arg for arg in given if isinstance(arg, str) and not isinstance(arg, Named)]
        return self.find(".".join(texts[:2])) if texts else ""

    def _reverse(self, where: Mapping[str, Mapping[str, Reverse]], label: str, name: str) -> Reverse | None:
        seen: list[str] = [label]
        for current in seen:
            if (found := where.get(current, {}).get(name)) is not None:
                return found
            model = self.models.get(current)
            seen.extend(parent for parent in (model.parents if model else ()) if parent not in seen)
        return None


def find_models(symbols: Symbols, apps: Apps, user: str = "") -> Registry:
    """The registry of a project whose AUTH_USER_MODEL is "user"; empty is what its settings' files say."""
    user = user or text(symbols, "AUTH_USER_MODEL") or "auth.User"
    registry = Registry(symbols=symbols, apps=apps, user=user, models={}, by_symbol={}, accessors={}, queries={})
    for name, file in symbols.files.items():
        if file.module.is_migration:
            continue
        for found in file.classes.values():
            symbol = Symbol(name, found.name, "class")
            if "." not in found.name and _is_model(symbols, symbol):
                _register(registry, symbol, found)
    made = dict(_made(registry))
    for model in list(registry.models.values()):
        assert model.symbol is not None
        _relate(registry, model, made.get(model.label, model.symbol))
    _proxies(registry)
    _swap(registry)
    link(registry)
    return registry


def _made(registry: Registry) -> Iterator[tuple[str, Symbol]]:
    """Register models that a function makes with type(name, (Base,), ...), as what its call is assigned to.

    Yields (label, the base).
    """
    symbols = registry.symbols
    for name, file in symbols.files.items():
        for assigned, value in file.facts.assigned.items() if not file.module.is_migration else ():
            if not isinstance(value, list) or not value[-1].called or not value[-1].args:
                continue
            function = symbols.find_in(name, ".".join(step.name for step in value))
            base = _base_made(registry, function) if function.kind == "function" else None
            app = registry.apps.of(name).label
            if base is not None and f"{app}.{assigned}" not in registry.models:
                model = Model(
                    label=f"{app}.{assigned}",
                    app=app,
                    symbol=Symbol(name, assigned, "made"),
                    path=file.module.path,
                    line=value[-1].line,
                    table=f"{app}_{assigned.lower()}",
                )
                registry.models[model.label] = registry.by_symbol[Symbol(name, assigned, "value")] = model
                yield model.label, base


def _base_made(registry: Registry, function: Symbol) -> Symbol | None:
    """The abstract model of which a function makes heirs."""
    for chain in registry.symbols.file_of(function).facts.chains:
        call = chain.steps[-1]
        if chain.scope == function.name and call.name == "type" and len(chain.steps) == 1 and len(call.args) == 3:
            for given in call.args[1] if isinstance(call.args[1], tuple) else ():
                base = registry.symbols.find_in(function.module, given) if isinstance(given, Named) else None
                if base is not None and (model := registry.of(base)) is not None and model.abstract:
                    return base
    return None


def _proxies(registry: Registry) -> None:
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


def _is_abstract(symbols: Symbols, symbol: Symbol) -> bool:
    return symbols.class_of(symbol).meta.get("abstract") is True


def _swap(registry: Registry) -> None:
    """Mark those in whose place a setting names another model."""
    for model in registry.models.values():
        is_class = model.symbol is not None and model.symbol.kind == "class"
        if (
            is_class
            and model.symbol is not None
            and isinstance(setting := meta_of(registry.symbols, model.symbol).get("swappable"), str)
        ):
            chosen = registry.user if setting == "AUTH_USER_MODEL" else _setting(registry, setting)
            model.swapped = chosen not in ("", model.label)


def link(registry: Registry) -> None:
    """Find the other sides of all relations."""
    registry.accessors.clear()
    registry.queries.clear()
    # Somebody may ask for the user where no key refers to it.
    user = registry.models.setdefault(
        registry.user, Model(label=registry.user, app=registry.user.partition(".")[0], symbol=None)
    )
    if user.symbol is None and user.label == DJANGOS_USER:
        _relate_outside(user, DJANGOS_BASE)
    for model in list(registry.models.values()):
        if not model.abstract and not model.swapped:
            for relation in model.relations.values():
                _reverse(registry, model, relation)


def _is_model(symbols: Symbols, symbol: Symbol) -> bool:
    ancestors = symbols.ancestors(symbol)
    if any(_loads(symbols, base) is not None for base in ancestors):
        return True
    outside = [base.name for base in ancestors if base.kind == "outside"]
    if any(name in ("django.db.models.Model", "django.db.models.base.Model") for name in outside):
        return True
    last = [name.rpartition(".")[2] for name in outside]
    if not last or any(name.endswith(_NOT_MODELS) for name in last):
        return False
    # A base of another package that is not here: what has Django's own fields is a model.
    fields = [field for base in ancestors if base.kind == "class" for field in _fields(symbols, base)]
    return any(field.startswith("django.db.models.") for field in fields) or (
        any(name in ABSTRACT_USERS or name.startswith("Abstract") for name in last) and "models" in symbol.module
    )


def _loads(symbols: Symbols, base: Symbol) -> Step | None:
    """The call of get_model() that a base is the result of."""
    if base.kind != "value" or base.module not in symbols.files:
        return None
    value = symbols.files[base.module].facts.assigned.get(base.name)
    call = value[-1] if isinstance(value, list) else None
    return call if call is not None and call.called and call.name in _LOADERS else None


def _fields(symbols: Symbols, symbol: Symbol) -> list[str]:
    found = symbols.class_of(symbol)
    return [dotted for value in found.attributes.values() if (dotted := _field_class(symbols, symbol.module, value))]


def _field_class(symbols: Symbols, module: str, value: Value) -> str:
    """The dotted name of the field that is made here; empty for anything else."""
    if not isinstance(value, list) or not value[-1].called or any(step.called for step in value[:-1]):
        return ""
    dotted = ".".join(step.name for step in value)
    symbol = symbols.find_in(module, dotted)
    name = symbol.name or dotted
    return symbol.dotted if _looks_like_field(name) or (symbol.kind == "class" and _is_field(symbols, symbol)) else ""


def _looks_like_field(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last.endswith(("Field", "ForeignKey", "ParentalKey", "GenericRelation", "ParentalManyToManyField"))


def _is_field(symbols: Symbols, symbol: Symbol) -> bool:
    return any(base.kind == "outside" and _looks_like_field(base.name) for base in symbols.ancestors(symbol))


def _register(registry: Registry, symbol: Symbol, found: Class) -> None:
    file = registry.symbols.file_of(symbol)
    meta = meta_of(registry.symbols, symbol)
    label = meta.get("app_label")
    app = label if isinstance(label, str) and not isinstance(label, Named) else registry.apps.of(symbol.module).label
    table = meta.get("db_table")
    model = Model(
        label=f"{app}.{found.name}",
        app=app,
        symbol=symbol,
        path=file.module.path,
        line=found.line,
        abstract=meta.get("abstract") is True,
        proxy=meta.get("proxy") is True,
        managed=meta.get("managed") is not False,
        table=table if isinstance(table, str) and table else f"{app}_{found.name.lower()}",
    )
    registry.by_symbol[symbol] = model
    if model.label not in registry.models or not file.module.is_test:
        registry.models[model.label] = model


def _relate(registry: Registry, model: Model, own: Symbol) -> None:
    """Fill in the model's fields, of the class that it is or is made of and of what that inherits as its own."""
    symbols, managers, parents = registry.symbols, set(model.managers), []
    ancestors = symbols.ancestors(own)
    concrete = [one for base in ancestors if (one := registry.of(base)) is not None and _has_table(one, model)]
    theirs = {base for one in concrete if one.symbol is not None for base in symbols.ancestors(one.symbol)}
    parents += [one.label for one in reversed(concrete)]
    for symbol in reversed(ancestors):
        if (call := _loads(symbols, symbol)) is not None:
            parents.append(registry.loaded(call))
        if symbol.kind != "class" or symbol in theirs:
            if symbol not in theirs:
                _relate_outside(model, symbol.name)
            continue
        found = symbols.class_of(symbol)
        for name, value in found.attributes.items():
            dotted = _field_class(symbols, symbol.module, value)
            if dotted:
                kind = _relation_kind(symbols, dotted)
                if kind:
                    model.relations[name] = _relation(registry, model, symbol, name, kind)
                else:
                    model.columns[name] = found.lines[name]
                if isinstance(value, list) and value[-1].keywords.get("primary_key") is True:
                    model.key = name
            elif value is None:
                model.relations.pop(name, None)
            elif _is_manager(symbols, symbol.module, value):
                managers.add(name)
    model.parents = tuple(dict.fromkeys(parents))
    model.managers = frozenset(managers)


def _has_table(one: Model, model: Model) -> bool:
    """Whether a model is another one with its own table, whose fields stay there."""
    return one is not model and not one.abstract


def _relate_outside(model: Model, base: str) -> None:
    """What Django's own abstract users bring."""
    for name in ABSTRACT_USERS.get(base.rpartition(".")[2], ()) if base.startswith("django.") else ():
        target = OF_USERS.get(name)
        if target is None:
            model.columns[name] = model.line
            continue
        model.relations[name] = Relation(
            name=name,
            kind="many-to-many",
            target=target,
            line=model.line,
            module=model.symbol.module if model.symbol is not None else "",
            accessor="user_set",
            query="user",
            column=f"{name}_id",
            stated=False,
        )


def _relation_kind(symbols: Symbols, dotted: str) -> str:
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


def _relation(registry: Registry, model: Model, owner: Symbol, name: str, kind: str) -> Relation:
    found = registry.symbols.class_of(owner)
    value = found.attributes[name]
    assert isinstance(value, list)
    call = value[-1]
    given = call.args[0] if call.args else next((call.keywords[key] for key in _TARGET if key in call.keywords), None)
    target = "" if kind == "generic key" else _target(registry, model.app, owner.module, given)
    if given == "self" and not isinstance(given, Named):
        target = model.label
    accessor, query = _other_side(model, kind, call)
    on_delete = call.keywords.get("on_delete", call.args[1] if len(call.args) > 1 else "")
    through, column = call.keywords.get("through"), call.keywords.get("db_column")
    return Relation(
        name=name,
        kind=kind,
        target=target,
        line=found.lines[name],
        module=owner.module,
        on_delete=str(on_delete).rpartition(".")[2] if isinstance(on_delete, str) else "",
        accessor=accessor,
        query=query,
        through=_target(registry, model.app, owner.module, through) if through is not None else "",
        column=column if isinstance(column, str) and column else f"{name}_id",
        constrained=call.keywords.get("db_constraint") is not False,
        parent=call.keywords.get("parent_link") is True,
    )


def _other_side(model: Model, kind: str, call: Step) -> tuple[str, str]:
    lower = model.label.rpartition(".")[2].lower()
    related, queried = call.keywords.get("related_name"), call.keywords.get("related_query_name")
    if kind.startswith("generic"):
        return "", queried if isinstance(queried, str) else ""
    if isinstance(related, str) and not isinstance(related, Named):
        related = related.replace("%(class)s", lower).replace("%(app_label)s", model.app)
        if related.endswith("+"):
            return "", ""
    else:
        related = ""
    accessor = related or (lower if kind == "one-to-one" else f"{lower}_set")
    query = queried if isinstance(queried, str) and not isinstance(queried, Named) else related or lower
    return accessor, query


def _target(registry: Registry, app: str, module: str, given: Value) -> str:
    """The label of what a relation of an app's model, stated in a module, refers to; empty where nobody can tell."""
    if isinstance(given, list):
        return registry.user if given[-1].name == "get_user_model" else registry.loaded(given[-1])
    if isinstance(given, Named):
        return _target_named(registry, app, module, given)
    # A text without an app is of the model that has the field, also where an abstract one states it.
    return registry.find(given, app) if isinstance(given, str) else ""


def _target_named(registry: Registry, app: str, module: str, given: Named) -> str:
    if given.rpartition(".")[2] == "AUTH_USER_MODEL":
        return registry.user
    if given.startswith("settings."):
        return _setting(registry, given.removeprefix("settings."))
    symbol = registry.symbols.find_in(module, given)
    if (found := registry.of(symbol)) is not None:
        return found.label
    if symbol.kind != "value":
        return label_outside(symbol.dotted)
    value = registry.symbols.files[symbol.module].facts.assigned.get(symbol.name)
    if isinstance(value, list) and "AUTH_USER_MODEL" in value[-1].args:
        return registry.user  # getattr(settings, "AUTH_USER_MODEL", "auth.User")
    return _target(registry, app, symbol.module, value) if value != given else ""


def _setting(registry: Registry, name: str) -> str:
    found = (value for value in values(registry.symbols, name) if isinstance(value, str))
    label = next((value for value in found if not isinstance(value, Named) and value.count(".") == 1), "")
    return registry.find(label) if label else ""


def label_outside(dotted: str) -> str:
    """The label of a model of another package: "auth.User" for "django.contrib.auth.models.User"; empty for others."""
    parts = dotted.split(".")
    return f"{parts[parts.index('models') - 1]}.{parts[-1]}" if "models" in parts[1:] else ""


def _is_manager(symbols: Symbols, module: str, value: Value) -> bool:
    if not isinstance(value, list) or not value[-1].called:
        return False
    if value[-1].name in ("as_manager", "from_queryset"):
        return True
    dotted = ".".join(step.name for step in value)
    symbol = symbols.find_in(module, dotted)
    bases = symbols.ancestors(symbol) if symbol.kind == "class" else [symbol]
    return any(base.name.rpartition(".")[2].endswith(("Manager", "QuerySet")) for base in bases)


def _reverse(registry: Registry, model: Model, relation: Relation) -> None:
    if not relation.target:
        return
    other = registry.models.get(relation.target)
    if other is None:
        app, _, _ = relation.target.rpartition(".")
        other = registry.models[relation.target] = Model(label=relation.target, app=app, symbol=None)
    found = Reverse(label=model.label, relation=relation, one=relation.kind == "one-to-one")
    if relation.accessor:
        registry.accessors.setdefault(relation.target, {})[relation.accessor] = found
    if relation.query:
        registry.queries.setdefault(relation.target, {})[relation.query] = found
