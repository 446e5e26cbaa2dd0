"""strangler status: who serves, who owns, can one go back, in the terminal."""

from __future__ import annotations

import argparse

from strangler.commands.project import Commands
from strangler.commands.settings import add_settings, set_up


def add(commands: Commands) -> None:
    command = commands.add_parser("status", help="who serves, who owns, can one go back, of the project that runs")
    command.add_argument("--watch", action="store_true", help="stay, and keep it current, until Ctrl-C")
    command.add_argument("--every", type=float, default=2.0, metavar="SECONDS", help="between two looks (2)")
    add_settings(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    set_up(options)
    # Not above: what an extra brings, and the project's apps, may not be there.
    from strangler.dashboard import terminal  # noqa: PLC0415
    from strangler.dashboard.collecting import collect  # noqa: PLC0415

    if options.watch:
        terminal.watch(collect, every=options.every)
    else:
        terminal.show(collect())
