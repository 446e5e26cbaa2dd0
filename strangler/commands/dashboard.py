"""strangler dashboard: the dashboard by itself, on loopback; manage.py dashboard is the same."""

from __future__ import annotations

import argparse
import sys

from strangler.commands.project import Commands
from strangler.commands.settings import add_settings, set_up


def add(commands: Commands) -> None:
    command = commands.add_parser("dashboard", help="a page of the same, live, served on loopback")
    command.add_argument("--port", type=int, default=8020, help="0 is any that is free (8020)")
    command.add_argument("--user", default="", help="whose permissions it goes by; without one it only shows")
    add_settings(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    set_up(options)
    from strangler.dashboard import standalone  # noqa: PLC0415 - it needs the project's apps

    standalone.serve(options.port, options.user, lambda line: sys.stdout.write(line + "\n"))
