"""`strangler trace`: what was observed of a project that ran."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from strangler.commands.project import Commands, add_anew, add_registries, mapped, write_json


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser(
        "trace", help="what was observed of a project that ran; docs/map.md says how to record"
    )
    command.add_argument("trace", type=Path, metavar="FOLDER", help="the traces of all its processes, or one of them")
    command.add_argument("path", nargs="?", type=Path, help="the project's folder: say what its map does not have, too")
    command.add_argument("--lines", action="store_true", help="each line that touches another app's table")
    command.add_argument("--json", action="store_true")
    add_anew(command)
    add_registries(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from strangler.analysis.observed import records, showing  # noqa: PLC0415
    from strangler.analysis.observed.beside import picture_of, unseen  # noqa: PLC0415
    from strangler.analysis.observed.picture import Picture  # noqa: PLC0415
    from strangler.analysis.observed.reading import read_trace  # noqa: PLC0415

    trace = read_trace(options.trace)
    if options.path is None:
        picture, new = Picture(trace=trace, tables=trace.tables, apps=frozenset(trace.apps)), None
    else:
        found = mapped(options)
        picture = picture_of(trace, found)
        new = unseen(found, picture)
    if options.json:
        write_json(records.as_json(picture, new))
        return
    for line in showing.as_lines(picture) if options.lines else showing.as_text(picture, new):
        sys.stdout.write(f"{line}\n")
