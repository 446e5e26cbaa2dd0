"""What a chain may stand at where nobody declared it: by what a variable is called like, and by what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strangler.analysis import guessing
from strangler.analysis.composed import key_of
from strangler.analysis.facts import Named, Step
from strangler.analysis.models import Registry
from strangler.analysis.typed import Typed

if TYPE_CHECKING:
    from strangler.analysis.walk import Walk

_ASK = frozenset({"get", "pop", "setdefault"})


def supposed(walk: Walk, steps: list[Step], index: int) -> Typed | None:
    """A row, where a variable or attribute that nobody declared is called like a model and used like one."""
    if index < 0:
        return None
    step, after = steps[index], steps[index + 1].name if index + 1 < len(steps) else ""
    composed, registry = walk.following.composed, walk.registry
    if step.name.startswith("[") and (form := composed.form(walk.file, walk.scope, key_of(step))):
        return Typed("self", symbol=form)
    if index and (label := _by_keyword(walk, steps[:index], step)):
        return Typed("row", label)
    perhaps = _asked_for(walk, step) if step.called else None
    if not after or (perhaps is not None and surely(registry, perhaps, after) is not None):
        return perhaps
    if step.called and step.name[:1].isupper():
        return None  # an object of a class of which nobody knows that it is a model
    return _by_name(walk, step, after)


def surely(registry: Registry, at: Typed, after: str) -> Typed | None:
    """The one row among those that it may be which has what comes next, or of which an heir's row has it."""
    rows = [one for one in at.parts if one is not None]
    fit = {one: found for one in rows if (found := registry.towards(one.label, after)) is not None}
    if fit:
        return next(iter(fit)) if len(set(fit.values())) == 1 else None  # several may inherit it from one
    heirs = {heir for one in rows if (heir := registry.heir_with(one.label, after))}
    return Typed("row", heirs.pop()) if len(heirs) == 1 else None


def _by_name(walk: Walk, step: Step, after: str) -> Typed | None:
    """What a name speaks of: a request, the form of a view, or the one model's row that has what comes next."""
    registry = walk.registry
    name = step.local or ("" if step.called else step.name.strip("?[]"))
    if name == "request" and (after == "user" or walk.following.given.on_request(after) is not None):
        return Typed("request")
    if step.name == "?form" and (form := guessing.form_given(registry.symbols, walk.file, walk.scope)):
        return Typed("self", symbol=form)
    given = guessing.row_given(walk.following, walk.file, walk.scope, name) if step.name[:1] == "?" else ""
    labels = [given] if given else registry.called(name)
    return surely(registry, Typed("perhaps", parts=tuple(Typed("row", label) for label in labels)), after)


def _by_keyword(walk: Walk, before: list[Step], step: Step) -> str:
    """The model whose row a view or form is called with by keyword: kwargs["instance"], kwargs.pop("instance")."""
    asked = step.args[0] if step.called and step.name in _ASK and step.args else key_of(step)
    is_given = len(before) == 1 or before[-1].called  # self.kwargs is what the address says
    if not is_given or not before[-1].name.endswith("kwargs") or not isinstance(asked, str):
        return ""
    return guessing.row_given(walk.following, walk.file, walk.scope, asked)


def _asked_for(walk: Walk, step: Step) -> Typed | None:
    """Perhaps a row of a model whose class, or among whose classes, a function was given that nobody knows."""
    if step.name[:1].isupper():
        return None
    values = [part for value in step.args for part in (value if isinstance(value, tuple) else (value,))]
    labels = [label for value in values if isinstance(value, Named) and (label := _class_named(walk, value))]
    return Typed("perhaps", parts=tuple(Typed("row", label) for label in labels)) if labels else None


def _class_named(walk: Walk, name: Named) -> str:
    if not name.rpartition(".")[2][:1].isupper():
        return ""
    at = walk.following.named(walk.file, name, walk.depth)
    return at.label if at.what == "model" else ""
