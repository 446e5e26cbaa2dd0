"""The models of a project, their relations, and what the other side of each relation is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from strangler.analysis.apps import Apps
from strangler.analysis.facts import Named, Step
from strangler.analysis.symbols import Symbol, Symbols

LOADERS = ("get_model", "get_registered_model")


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
    _heirs: dict[str, list[str]] | None = None

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

    def towards(self, label: str, name: str) -> Relation | None:
        """The relation by which a row has others under a name, its own, inherited, or the other side of another's."""
        if (found := self.inherited(label, name)) is not None:
            return found
        reverse = self.accessor(label, name)
        return reverse.relation if reverse is not None else None

    def target(self, label: str, name: str) -> str:
        """The model whose rows a row has under a name; empty for none."""
        if (found := self.inherited(label, name)) is not None:
            return found.target
        reverse = self.accessor(label, name)
        return reverse.label if reverse is not None else ""

    def heir_with(self, label: str, name: str) -> str:
        """The model that inherits this one's table and has a relation of this name; empty for none, or several.

        A row that such a name is asked of is the heir's.
        """
        having = {heir: found for heir in self.heirs(label) if (found := self.towards(heir, name)) is not None}
        return next(iter(having)) if len(set(having.values())) == 1 else ""

    def heirs(self, label: str) -> Sequence[str]:
        """The models that inherit a model's table, and theirs, but for those of tests."""
        if self._heirs is None:
            self._heirs = {}
            files = self.symbols.files
            for model in self.models.values():
                is_test = model.symbol is not None and files[model.symbol.module].module.is_test
                for parent in model.parents if not is_test else ():
                    self._heirs.setdefault(parent, []).append(model.label)
        found = list(self._heirs.get(label, ()))
        for heir in found:
            found.extend(one for one in self._heirs.get(heir, ()) if one not in found)
        return found

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
        if call.name not in LOADERS:
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


def label_outside(dotted: str) -> str:
    """The label of a model of another package: "auth.User" for "django.contrib.auth.models.User"; empty for others."""
    parts = dotted.split(".")
    return f"{parts[parts.index('models') - 1]}.{parts[-1]}" if "models" in parts[1:] else ""
