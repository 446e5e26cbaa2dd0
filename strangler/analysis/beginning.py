"""What a chain begins with: a local, "self", a name of the module's, or what a call of one gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strangler.analysis import guessing
from strangler.analysis.facts import EACH, PARTS, Named, Step, Value, chain_of
from strangler.analysis.formsets import FACTORIES, kind_of, model_given
from strangler.analysis.symbols import Symbol
from strangler.analysis.typed import Does, Typed

if TYPE_CHECKING:
    from strangler.analysis.walk import Walk

_SHORTCUTS = frozenset({"get_object_or_404", "get_list_or_404", "aget_object_or_404"})


def begin(walk: Walk, steps: list[Step]) -> tuple[Typed | None, int]:
    """(what the chain begins with, how many links that took)."""
    first = steps[0].name
    if first[:1] in ("@", "?", PARTS):
        return _local(walk, steps[0]), 1
    return (_self(walk), 1) if first in ("self", "cls", "super") else _named(walk, steps)


def _local(walk: Walk, step: Step) -> Typed | None:
    """What a local is by its annotation, by isinstance(), or by who calls the function."""
    if step.name == PARTS:
        return Typed("parts", parts=tuple(walk.value(value) for value in step.args))
    if step.name.startswith("@"):
        return _narrowed(walk, step) or _instance(walk, step.name[1:])
    if step.name == "?instance" and (label := _received(walk)):
        return Typed("row", label)
    return walk.following.handed.parameter(walk.file, walk.scope, step.name[1:])


def _narrowed(walk: Walk, step: Step) -> Typed | None:
    """What a local was before isinstance() told its class, where that is no model with rows of its own."""
    at = _instance(walk, step.name[1:]) if step.args else None
    model = walk.registry.models.get(at.label) if at is not None and at.what == "row" else None
    return walk.value(step.args[0]) if step.args and (model is None or model.abstract) else at


def _instance(walk: Walk, dotted: str) -> Typed | None:
    at = walk.following.named(walk.file, dotted.removeprefix("*"))
    if at.what == "model":
        return Typed("set" if dotted.startswith("*") else "row", at.label)
    if at.symbol is None:
        return None
    if at.symbol.name.endswith("Request"):
        return Typed("request", symbol=at.symbol if at.symbol.kind == "class" else None)
    return _object(walk, at.symbol) if at.symbol.kind == "class" else None


def _received(walk: Walk) -> str:
    return walk.following.instances.get(Symbol(walk.file.module.name, walk.scope, "function"), "")


def _self(walk: Walk) -> Typed | None:
    if walk.owner is not None:
        return _object(walk, walk.owner)
    symbol = guessing.class_at(walk.file, walk.scope)
    return _object(walk, symbol) if symbol is not None else None


def _object(walk: Walk, symbol: Symbol) -> Typed:
    if (model := walk.registry.of(symbol)) is not None:
        return Typed("row", model.label)
    managed = walk.following.managed.get(symbol)
    return Typed("set", managed) if managed else Typed("self", symbol=symbol)


def _named(walk: Walk, steps: list[Step]) -> tuple[Typed | None, int]:
    dotted = ""
    for number, step in enumerate(steps):
        if step.name in ("()", EACH) or step.name.startswith("["):
            return None, number
        dotted = f"{dotted}.{step.name}" if dotted else step.name
        at = walk.following.named(walk.file, dotted, walk.depth)
        if step.called:
            return _called(walk, at, step), number + 1
        if at.what != "symbol":
            return at, number + 1
    return None, len(steps)


def _called(walk: Walk, at: Typed, step: Step) -> Typed | None:
    """What a call of something with a name gives."""
    registry = walk.registry
    if step.name == "get_user_model":
        return Typed("model", registry.user)
    if label := registry.loaded(step):
        return Typed("model", label) if label in registry.models else None
    if step.name in _SHORTCUTS and (given := step.args[:1] or walk.passed(step)):
        return _shortcut(walk, step, given[0])
    if step.name in FACTORIES and (label := walk.following.model_of(walk.file, model_given(step), walk.scope)):
        return Typed("factory", label, links=kind_of(step))
    if step.name == "getattr" and len(step.args) > 1 and (steps := _attribute(step)):
        return walk.follow(steps)
    return at.made or _given_by(walk, at, step)


def _attribute(step: Step) -> list[Step]:
    """The chain that getattr() with a text is; nothing where the name is computed."""
    before, name = chain_of(step.args[0]), step.args[1]
    if not before or not isinstance(name, str) or isinstance(name, Named):
        return []
    return [*before, Step(name=name, line=step.line)]


def _given_by(walk: Walk, at: Typed, step: Step) -> Typed | None:
    """What a call of a function gives."""
    if at.symbol is None or at.symbol.kind != "function":
        return walk.filtered(step)
    given = walk.following.given
    if (value := given.given_back(at.symbol, step)) is not None:
        return walk.value(value)
    return given.by_function(at.symbol) or walk.filtered(step)


def _shortcut(walk: Walk, step: Step, given: Value) -> Typed | None:
    label = walk.following.model_of(walk.file, given, walk.scope, walk.owner)
    if not label:
        return None
    walk.note(Does.READ, label, step, f"{step.name}()")
    walk.join(label, Step(name="filter", line=step.line, keywords=step.keywords))
    return Typed("row", label)
