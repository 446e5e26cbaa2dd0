"""Groups of a graph that hold together, whosever they are: communities by Louvain's method, the same at every run."""

from __future__ import annotations

from strangler.analysis.graph import Graph
from strangler.analysis.kept import Kept, key_of

_RESOLUTIONS = (0.6, 1.0, 1.6)
_SEED = 20_000
_FEWEST = 3
"""Nodes of a group; fewer are none."""


def communities(graph: Graph) -> list[frozenset[str]]:
    """Those at each resolution, each once. They depend on the nodes and their ties alone, not on their apps."""
    import networkx  # noqa: PLC0415 - takes longer than a map that is kept

    undirected = networkx.Graph()
    undirected.add_nodes_from(sorted(graph.apps))
    for (source, target), count in sorted(graph.weights.items()):
        before = undirected.get_edge_data(source, target, {"weight": 0})["weight"]
        if count:
            undirected.add_edge(source, target, weight=before + count)
    found: dict[frozenset[str], None] = {}
    for resolution in _RESOLUTIONS:
        for group in networkx.community.louvain_communities(undirected, resolution=resolution, seed=_SEED):
            if len(group) >= _FEWEST:
                found[frozenset(group)] = None
    return list(found)


def kept_communities(graph: Graph, kept: Kept) -> list[frozenset[str]]:
    """The same, as they were found before, where the nodes and their ties are the same."""
    key = key_of(b"communities", repr((sorted(graph.apps), sorted(graph.weights.items()))).encode())
    for _, found in kept.get([key]):
        return found  # type: ignore[no-any-return]
    made = communities(graph)
    kept.put([(key, made)])
    return made
