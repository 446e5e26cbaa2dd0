"""What the classes of models say of their fields, and whom their relations refer to. Found in the files."""

from __future__ import annotations

from strangler.analysis.configured import values
from strangler.analysis.facts import Named, Step, Value
from strangler.analysis.fields import field_class, is_manager, relation_kind
from strangler.analysis.inheriting import loaded_base
from strangler.analysis.models import Model, Registry, Relation, label_outside
from strangler.analysis.symbols import Symbol
from strangler.analysis.users import ABSTRACT_USERS, OF_USERS

_TARGET = ("to", "to_model", "othermodel")


def relate(registry: Registry, model: Model, own: Symbol) -> None:
    """Fill in the model's fields, of the class that it is or is made of and of what that inherits as its own."""
    symbols, managers, parents = registry.symbols, set(model.managers), []
    ancestors = symbols.ancestors(own)
    concrete = [one for base in ancestors if (one := registry.of(base)) is not None and _has_table(one, model)]
    theirs = {base for one in concrete if one.symbol is not None for base in symbols.ancestors(one.symbol)}
    parents += [one.label for one in reversed(concrete)]
    for symbol in reversed(ancestors):
        if (call := loaded_base(symbols, symbol)) is not None:
            parents.append(registry.loaded(call))
        if symbol.kind != "class" or symbol in theirs:
            if symbol not in theirs:
                relate_outside(model, symbol.name)
            continue
        found = symbols.class_of(symbol)
        for name, value in found.attributes.items():
            dotted = field_class(symbols, symbol.module, value)
            if dotted:
                kind = relation_kind(symbols, dotted)
                if kind:
                    model.relations[name] = _relation(registry, model, symbol, name, kind)
                else:
                    model.columns[name] = found.lines[name]
                if isinstance(value, list) and value[-1].keywords.get("primary_key") is True:
                    model.key = name
            elif value is None:
                model.relations.pop(name, None)
            elif is_manager(symbols, symbol.module, value):
                managers.add(name)
    model.parents = tuple(dict.fromkeys(parents))
    model.managers = frozenset(managers)


def relate_outside(model: Model, base: str) -> None:
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


def model_of_setting(registry: Registry, name: str) -> str:
    """The label of the model that a setting names; empty where it names none."""
    found = (value for value in values(registry.symbols, name) if isinstance(value, str))
    label = next((value for value in found if not isinstance(value, Named) and value.count(".") == 1), "")
    return registry.find(label) if label else ""


def _has_table(one: Model, model: Model) -> bool:
    """Whether a model is another one with its own table, whose fields stay there."""
    return one is not model and not one.abstract


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
        return model_of_setting(registry, given.removeprefix("settings."))
    symbol = registry.symbols.find_in(module, given)
    if (found := registry.of(symbol)) is not None:
        return found.label
    if symbol.kind != "value":
        return label_outside(symbol.dotted)
    value = registry.symbols.files[symbol.module].facts.assigned.get(symbol.name)
    if isinstance(value, list) and "AUTH_USER_MODEL" in value[-1].args:
        return registry.user  # getattr(settings, "AUTH_USER_MODEL", "auth.User")
    return _target(registry, app, symbol.module, value) if value != given else ""
