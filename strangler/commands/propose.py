"""`strangler propose`: where a project could be cut."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from strangler.commands.project import (
    Commands,
    add_anew,
    add_path,
    add_registries,
    add_trace,
    folder,
    mapped,
    named,
    seams,
    with_trace,
    write_json,
)
from strangler.errors import StranglerError

if TYPE_CHECKING:
    from strangler.analysis.graph import Graph
    from strangler.analysis.mapping import Map
    from strangler.analysis.observed.beside import Crossing
    from strangler.analysis.observed.picture import Picture
    from strangler.analysis.seams import Seam


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("propose", help="where a project could be cut, and what the cut would cost")
    add_path(command)
    command.add_argument("--seam", help="one of them, with what would have to change first")
    command.add_argument("--move", metavar="NODE", help='what if this model ("app.Model") or module ...')
    command.add_argument("--with", metavar="APP", dest="app", help="... belonged to this app")
    command.add_argument("--json", action="store_true")
    add_anew(command)
    add_registries(command)
    add_trace(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from strangler.analysis import showing  # noqa: PLC0415
    from strangler.analysis.graph import graph_of  # noqa: PLC0415

    if (options.move is None) != (options.app is None):
        raise StranglerError("--move and --with go together: --move reviews.Vote --with catalog")
    found, picture = with_trace(mapped(options), options)
    graph = graph_of(found)
    try:
        graph = graph.moved(options.move, options.app) if options.move is not None else graph
    except ValueError as error:
        raise StranglerError(str(error)) from error
    shown = seams(graph, options) if options.seam is None else [named(graph, options.seam, options)]
    crossings = _crossings(graph, shown, picture) if picture is not None else {}
    if options.json:
        write_json([showing.seam_as_json(one, crossings.get(one.name)) for one in shown])
        return
    if options.seam is not None:
        one = shown[0]
        said = showing.seam_as_text(one, crossings.get(one.name))
        lines: Iterator[str] = chain(said, _together(folder(options), found, graph, one))
    else:
        lines = showing.seams_as_text(graph, shown, crossings)
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _crossings(graph: Graph, shown: Sequence[Seam], picture: Picture) -> dict[str, Crossing]:
    """What the trace saw pass each border."""
    from strangler.analysis.observed.beside import crossing  # noqa: PLC0415

    return {one.name: crossing(graph, one, picture) for one in shown}


def _together(root: Path, found: Map, graph: Graph, seam: Seam) -> Iterator[str]:
    """The apps beyond a seam's border that commits change together with its own."""
    from strangler.analysis.history.apps import apps_together  # noqa: PLC0415

    own = {graph.apps[node] for node in seam.nodes}
    across = [pair for pair in apps_together(root, found) if (pair.one in own) != (pair.other in own)]
    if across:
        yield "  changed together, more than by chance:"
        yield from (f"    {pair}" for pair in across)
