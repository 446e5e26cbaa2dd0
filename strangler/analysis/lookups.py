"""Lookup paths such as "author__profile__name": over which models they lead. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from strangler.analysis.facts import Named, Step, Value
from strangler.analysis.models import Registry

_BY_PATH = frozenset(
    {"order_by", "values", "values_list", "only", "defer", "distinct", "latest", "earliest", "dates", "datetimes"}
    | {"select_related", "prefetch_related", "in_bulk"}
)
_WHOLE = frozenset({"select_related", "prefetch_related"})
_BY_KEYWORD = frozenset(
    {"filter", "exclude", "get", "get_or_create", "update_or_create", "aget", "afilter", "update", "Q", "When"}
)
_BY_EXPRESSION = _BY_KEYWORD | _BY_PATH | frozenset({"annotate", "aggregate", "alias", "create"})
_ON_KEY = frozenset({"id", "pk", "in", "isnull", "exact", "iexact"})
_OTHER_QUERIES = frozenset({"Exists", "Subquery", "OuterRef"})


@dataclass(frozen=True, kw_only=True)
class Hop:
    """One step of a path from a model to another."""

    source: str
    target: str
    path: str


def hops_of_call(registry: Registry, label: str, step: Step) -> Iterator[Hop]:
    """The hops of all paths that are given to a method of a set of the model's rows."""
    if step.name in _BY_PATH:
        for value in step.args:
            yield from _of_text(registry, label, value, whole=step.name in _WHOLE)
    if step.name in _BY_KEYWORD:
        for keyword in step.keywords:
            yield from hops(registry, label, keyword)
    if step.name in _BY_EXPRESSION:
        for value in (*step.args, *step.keywords.values()):
            yield from _of_expression(registry, label, value)


def hops(registry: Registry, label: str, path: str, *, whole: bool = False) -> Iterator[Hop]:
    """The hops of one path. With "whole" its end is fetched as well, as select_related does.

    "Heir___name" is the name of a model that inherits this one's table, as django-polymorphic has it.
    """
    at, bare = label, path.lstrip("-+")
    name, _, more = bare.partition("___")
    heirs = registry.heirs(label) if more else ()
    if heir := next((one for one in heirs if one.rpartition(".")[2] == name.rpartition("__")[2]), ""):
        at, bare = heir, more
    parts = bare.split("__")
    for number, part in enumerate(parts):
        rest = parts[number + 1 :]
        relation = registry.inherited(at, part)
        if relation is not None:
            if not relation.target:
                return
            many = relation.kind in ("many-to-many", "generic relation")
            if not whole and not many and (not rest or (len(rest) == 1 and rest[0] in _ON_KEY)):
                return  # the key is in the row itself
            target = relation.target
        else:
            reverse = registry.query(at, part) or (registry.accessor(at, part) if whole else None)
            if reverse is None:
                return
            target = reverse.label
        yield Hop(source=at, target=target, path=path)
        at = target


def queries_in(value: Value) -> Iterator[list[Step]]:
    """The chains within arguments that may be queries of their own: product__in=…, Exists(…), Q(Exists(…))."""
    if isinstance(value, tuple):
        for part in value:
            yield from queries_in(part)
    elif isinstance(value, list):
        call = value[-1]
        if len(value) <= 2 and call.called and call.name[:1].isupper():
            yield from queries_in((*call.args, *call.keywords.values()))
        else:
            yield value


def _of_text(registry: Registry, label: str, value: Value, *, whole: bool) -> Iterator[Hop]:
    if isinstance(value, str) and not isinstance(value, Named):
        yield from hops(registry, label, value, whole=whole)
    elif isinstance(value, tuple):
        for part in value:
            yield from _of_text(registry, label, part, whole=whole)
    elif isinstance(value, list) and value[-1].name == "Prefetch" and value[-1].args:
        yield from _of_text(registry, label, value[-1].args[0], whole=True)


def _of_expression(registry: Registry, label: str, value: Value) -> Iterator[Hop]:
    """Paths within Q(), F(), Count() and the like, however deep. Another query inside has its own model."""
    if isinstance(value, tuple):
        for part in value:
            yield from _of_expression(registry, label, part)
    elif isinstance(value, list) and len(value) <= 2 and value[-1].called:
        call = value[-1]
        if call.name in _OTHER_QUERIES or not call.name[:1].isupper():
            return
        if call.name in ("Q", "When", "FilteredRelation"):
            for keyword in call.keywords:
                yield from hops(registry, label, keyword)
        for argument in (*call.args, *call.keywords.values()):
            if isinstance(argument, str) and not isinstance(argument, Named):
                if call.name not in ("Value", "Q", "Func", "Cast"):
                    yield from hops(registry, label, argument, whole=False)
            else:
                yield from _of_expression(registry, label, argument)
