"""Serve the dashboard by itself, on loopback."""

from argparse import ArgumentParser
from typing import Any

from strangler.dashboard import standalone
from strangler.management.command import StranglerCommand


class Command(StranglerCommand):
    help = "Serves a page that shows who serves, who owns, and whether one can go back, on loopback, until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8020, help="0 is any that is free; default 8020.")
        parser.add_argument("--user", default="", help="Whose permissions it goes by; without one it only shows.")

    def run(self, **options: Any) -> None:
        standalone.serve(options["port"], options["user"], self.stdout.write)
