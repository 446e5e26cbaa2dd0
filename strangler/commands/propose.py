"""`strangler propose`: where a project could be cut."""

from __future__ import annotations

import argparse
import json
import sys

from strangler.commands.project import (
    Commands,
    add_anew,
    add_path,
    add_registries,
    add_trace,
    mapped,
    named,
    with_trace,
)
from strangler.errors import StranglerError


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
    from strangler.analysis.observed.beside import crossing  # noqa: PLC0415
    from strangler.analysis.seams import find_seams  # noqa: PLC0415

    if (options.move is None) != (options.app is None):
        raise StranglerError("--move and --with go together: --move reviews.Vote --with catalog")
    found, picture = with_trace(mapped(options), options)
    graph = graph_of(found)
    try:
        graph = graph.moved(options.move, options.app) if options.move is not None else graph
    except ValueError as error:
        raise StranglerError(str(error)) from error
    seams = find_seams(graph) if options.seam is None else [named(graph, options.seam)]
    crossings = {one.name: crossing(graph, one, picture) for one in seams} if picture is not None else {}
    if options.json:
        json.dump([showing.seam_as_json(one, crossings.get(one.name)) for one in seams], sys.stdout, indent=1)
        return
    if options.seam is not None:
        lines = showing.seam_as_text(seams[0], crossings.get(seams[0].name))
    else:
        lines = showing.seams_as_text(graph, seams, crossings)
    sys.stdout.writelines(f"{line}\n" for line in lines)
