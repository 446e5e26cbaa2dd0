"""The map of the learner's Orchard, from its files."""

from __future__ import annotations

from strangler.analysis.graph import Graph, graph_of
from strangler.analysis.kept import Kept, usual_place
from strangler.analysis.mapping import Map, make_map
from strangler.workshop.lessons.bench import Bench

SHOP = "monolith"


def map_of(bench: Bench) -> Map:
    """As "strangler map monolith" finds it."""
    return make_map(bench.home / SHOP, Kept(usual_place()))


def graph(bench: Bench) -> Graph:
    """What seams are looked for in."""
    return graph_of(map_of(bench))
