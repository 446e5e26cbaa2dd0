"""Whether a walk to another row is a query for each row of a loop, or was fetched before for all of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from strangler.analysis.facts import EACH, Chain, Named, Step, Value

_FETCHES = frozenset({"select_related", "prefetch_related"})
_KNOWN = _FETCHES | frozenset(
    {"all", "filter", "exclude", "order_by", "annotate", "alias", "distinct", "reverse", "only", "defer", "using"}
    | {"select_for_update", "iterator", "aiterator", "union", "none", "get", "first", "last", "get_user_model"}
)
"""Methods of which one knows what they fetch; others may fetch more than they are asked for."""


def is_each(steps: Sequence[Step], walked: Step) -> bool:
    """Whether a chain's link, a relation, is followed anew for each row of a loop that the chain passes before."""
    number = next((n for n, step in enumerate(steps) if step is walked), 0)
    loop = max((n for n, step in enumerate(steps[:number]) if step.name == EACH), default=0)
    asked = [step.name for step in steps[:loop] if step.called]
    if not asked or not _KNOWN.issuperset(asked):
        return False  # who gave the rows may have fetched more with them
    path = "__".join(step.name for step in steps[loop + 1 : number + 1])
    if any(step.called and not step.args and step.name == "select_related" for step in steps[:loop]):
        return False  # all that can be
    return not any(one == path or one.startswith(f"{path}__") for one in fetched(steps[:loop]))


def fetched(steps: Sequence[Step]) -> Iterator[str]:
    """The paths of what comes with the rows of a chain."""
    for step in steps:
        if step.called and step.name in _FETCHES:
            for value in step.args:
                yield from _paths(value)


def scopes_that_fetch(chains: Iterable[Chain]) -> frozenset[str]:
    """The functions in which rows are fetched together with others."""
    return frozenset(chain.scope for chain in chains if any(step.name in _FETCHES for step in chain.steps))


def _paths(value: Value) -> Iterator[str]:
    if isinstance(value, str) and not isinstance(value, Named):
        yield value
    elif isinstance(value, list) and value[-1].name == "Prefetch" and value[-1].args:
        yield from _paths(value[-1].args[0])
