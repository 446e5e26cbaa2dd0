"""`strangler map`: what ties the apps of a project together."""

from __future__ import annotations

import argparse
import sys

from strangler.analysis.coupling import Kind
from strangler.commands.project import (
    Commands,
    add_anew,
    add_path,
    add_registries,
    add_trace,
    mapped,
    with_trace,
    write_json,
)


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("map", help="what ties the apps of a project together; imports and changes nothing")
    add_path(command)
    command.add_argument(
        "--app", action="append", default=[], help="only couplings from or to this app; may be repeated"
    )
    command.add_argument("--kind", action="append", default=[], choices=[kind.value for kind in Kind], metavar="KIND")
    command.add_argument("--lines", action="store_true", help="each coupling at its line")
    command.add_argument("--tests", action="store_true", help="also those that only tests have")
    command.add_argument("--json", action="store_true")
    add_anew(command)
    add_registries(command)
    add_trace(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from strangler.analysis import showing  # noqa: PLC0415

    found, _ = with_trace(mapped(options, tell=options.lines), options)
    couplings = [
        coupling
        for coupling in found.couplings
        if (options.tests or not coupling.test)
        and (not options.kind or coupling.kind in options.kind)
        and set(options.app) <= {coupling.source_app, coupling.target_app}
    ]
    if options.json:
        write_json(showing.as_json(found, couplings))
    else:
        for line in showing.as_lines(couplings) if options.lines else showing.as_text(found, couplings):
            sys.stdout.write(f"{line}\n")
