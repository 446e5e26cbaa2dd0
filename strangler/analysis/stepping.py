"""Where one link of a chain leads to, from a model's class, a row, a set of them, or an object about a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strangler.analysis import guessing
from strangler.analysis.facts import EACH, PARTS, Step
from strangler.analysis.formsets import step_of
from strangler.analysis.symbols import Symbol
from strangler.analysis.typed import Does, Typed

if TYPE_CHECKING:
    from strangler.analysis.walk import Walk

_TO_ROW = frozenset(
    {"get", "first", "last", "create", "latest", "earliest", "[]", EACH, "aget", "afirst", "alast", "acreate"}
)
_TO_ROW_AND_MORE = frozenset({"get_or_create", "update_or_create", "aget_or_create", "aupdate_or_create"})
_TO_NOTHING = frozenset({"count", "exists", "aggregate", "update", "delete", "bulk_update", "explain", "values_list"})
_STILL = frozenset({"distinct", "order_by", "filter", "exclude", "all", "values_list"})
_WRITES = frozenset(
    {"create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
    | {"acreate", "aupdate", "adelete", "aget_or_create", "aupdate_or_create"}
)
_ROW_WRITES = frozenset({"save", "delete", "asave", "adelete"})
_LINKS = frozenset({"add", "remove", "set", "clear", "aadd", "aremove", "aset", "aclear"})
_OF_CLASS = {
    "model": "model",
    **dict.fromkeys(("queryset", "get_queryset", "object_list", "filter_queryset"), "set"),
    **dict.fromkeys(("object", "get_object", "instance"), "row"),
}


def step_from(walk: Walk, at: Typed, step: Step) -> Typed | None:
    """What the link stands at; None where nobody knows. What is asked on the way is noted."""
    match at.what:
        case "factory" | "form" | "forms" | "parts":
            return _of_made(walk, at, step)
        case "model":
            return _of_model(walk, at.label, step)
        case "set":
            return _of_set(walk, at, step)
        case "row":
            return _of_row(walk, at.label, step)
    return _of_other(walk, at, step)


def _of_other(walk: Walk, at: Typed, step: Step) -> Typed | None:
    if at.what == "query":
        return at if step.name == "[:]" or (step.called and step.name in _STILL) else None
    if at.what == "relation":
        if step.name == "through":
            return Typed("model", at.links)  # nothing is asked yet
        walk.note(Does.READ, at.label, step, f".{step.name}")
    if at.what in ("self", "request") and step.name == "user" and not step.called:
        return Typed("row", walk.registry.user)
    if at.what == "request" and not step.called and (put := walk.following.given.on_request(step.name)) is not None:
        return put
    known = at.symbol if at.what in ("self", "request") else None
    return _of_class(walk, known, step) if known is not None else None


def _of_made(walk: Walk, at: Typed, step: Step) -> Typed | None:
    """One of a tuple, or something of a form or a set of forms that a factory made."""
    if at.what == "parts":
        named = {"[]": 0, **{f"{PARTS}{number}": number for number in range(1, len(at.parts))}}
        return at.parts[named[step.name]] if step.name in named and at.parts else None
    if at.what == "factory":
        return at.made if step.name == "()" else None
    what = step_of(at.what, step)
    if step.name == "save" and step.called and "commit" not in step.keywords:
        walk.note(Does.WRITE, at.label, step, "save()")
    return Typed(what, at.label) if what else None


def _of_model(walk: Walk, label: str, step: Step) -> Typed | None:
    model = walk.registry.models[label]
    if step.name in model.managers:
        walk.note(Does.READ, label, step, step.name)
        return Typed("set", label)
    relation = walk.registry.inherited(label, step.name) if not step.called else None
    if relation is None:
        return None
    known = relation.through in walk.registry.models
    return Typed("relation", label, links=relation.through if known else label)


def _of_set(walk: Walk, at: Typed, step: Step) -> Typed | None:
    label = at.label
    if step.called:
        if step.name in _WRITES or step.name in _LINKS:
            walk.note(Does.WRITE, at.links if at.links and step.name in _LINKS else label, step, f"{step.name}()")
        walk.join(label, step)
    if step.name in _TO_ROW:
        return Typed("row", label)
    if step.name in _TO_ROW_AND_MORE:
        return Typed("parts", parts=(Typed("row", label), None))  # the row, and whether it was made
    if step.name == "values_list" and step.called:
        return Typed("query", label)
    if step.called and (own := walk.following.given.of_manager(label, step)):
        return own[0] or walk.filtered(step)
    goes_on = step.name == "[:]" or (step.called and step.name not in _TO_NOTHING and step.name not in _LINKS)
    return Typed("set", label) if goes_on else None


def _of_row(walk: Walk, label: str, step: Step) -> Typed | None:
    if step.name in _ROW_WRITES and step.called:
        walk.note(Does.WRITE, label, step, f"{step.name}()")
        return None
    relation = walk.registry.inherited(label, step.name)
    if relation is not None and relation.target:
        walk.note(Does.NAVIGATE, relation.target, step, f".{step.name}", of=label)
        many = relation.kind in ("many-to-many", "generic relation")
        known = relation.target in walk.registry.models
        links = (relation.through or label) if relation.kind == "many-to-many" else ""
        return Typed("set" if many else "row", relation.target, links=links) if known else None
    if (reverse := walk.registry.accessor(label, step.name)) is not None:
        walk.note(Does.NAVIGATE, reverse.label, step, f".{step.name}", of=label)
        links = (reverse.relation.through or reverse.label) if reverse.relation.kind == "many-to-many" else ""
        return Typed("row" if reverse.one else "set", reverse.label, links=links)
    model = walk.registry.models[label]
    if step.name in model.managers and not step.called:
        return Typed("set", label)  # of a model's class method, or type(self)
    member = walk.following.given.by_member(model.symbol, step) if model.symbol is not None else None
    heir = walk.registry.heir_with(label, step.name) if member is None and not step.called else ""
    return _of_row(walk, heir, step) if heir else member


def _of_class(walk: Walk, symbol: Symbol, step: Step) -> Typed | None:
    """What views, forms, serializers and the like have by convention, or as an attribute of their class."""
    if step.name == "request":
        return Typed("request", symbol=symbol)
    if step.name == "get_model" and "model_name" in step.keywords:  # of an AppConfig
        app = walk.registry.apps.of(symbol.module).label
        label = walk.registry.find(str(step.keywords["model_name"]), app)
        return Typed("model", label) if label in walk.registry.models else None
    if (what := _OF_CLASS.get(step.name)) is not None and (label := walk.following.class_model(symbol)):
        return Typed(what, label)
    if step.name == "save" and step.called and guessing.is_form(walk.registry.symbols, symbol):
        return _saved(walk, symbol, step)
    return walk.following.given.by_member(symbol, step) or _row_given(walk, symbol, step) or walk.filtered(step)


def _row_given(walk: Walk, symbol: Symbol, step: Step) -> Typed | None:
    """The row that an object of a class is made with, by who lists the class."""
    labels = walk.following.composed.rows(symbol) if step.name in guessing.ROWS and not step.called else ()
    if len(labels) == 1:
        return Typed("row", labels[0])
    return Typed("perhaps", parts=tuple(Typed("row", label) for label in labels)) if labels else None


def _saved(walk: Walk, symbol: Symbol, step: Step) -> Typed | None:
    """The row that a form gives; it is written, unless the form is told to leave that to others."""
    label = walk.following.class_model(symbol)
    if not label:
        return None
    if "commit" not in step.keywords:
        walk.note(Does.WRITE, label, step, "save()")
    return Typed("row", label)
