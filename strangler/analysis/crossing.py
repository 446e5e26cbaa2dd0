"""What passes a border while the project runs: transactions that write on both sides, requests that walk over in loops.

Pure; by what the code shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from strangler.analysis.behaviour import UNSAID, Transaction
from strangler.analysis.graph import Graph


def transactions_cut(graph: Graph, nodes: AbstractSet[str]) -> list[Transaction]:
    """Functions that write on both sides of a border, the rows that saving brings along included.

    Of two of which one calls the other, the inner one: that is where the transaction comes apart.
    """
    along = graph.along
    cut = [one for one in graph.transactions if len({label in nodes for label in _written(one, along)}) > 1]
    names = {one.function for one in cut}
    return [one for one in cut if not one.calls & names]


def saves_cut(graph: Graph, nodes: AbstractSet[str]) -> list[str]:
    """Models whose rows cannot be saved or deleted without a write on the other side."""
    return sorted(
        {
            label
            for (label, _), written in graph.along.items()
            if any((one in nodes) != (label in nodes) for one in written)
        }
    )


def loops(graph: Graph, nodes: AbstractSet[str]) -> Mapping[str, int]:
    """For each view whose requests walk over the border in loops: at how many places; most first."""
    found = {
        request.view: sum((loop.source in nodes) != (loop.target in nodes) for loop in request.loops)
        for request in graph.requests
    }
    return dict(sorted(((view, count) for view, count in found.items() if count), key=lambda one: (-one[1], one[0])))


def is_declared(transaction: Transaction) -> bool:
    """Whether the code says that it is one transaction."""
    return transaction.why != UNSAID


def _written(transaction: Transaction, along: Mapping[tuple[str, str], set[str]]) -> set[str]:
    return {label for label, _ in transaction.writes}.union(*(along.get(write, ()) for write in transaction.writes))
