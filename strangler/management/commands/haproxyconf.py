"""Write the directory that an HAProxy runs from."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from strangler import conf
from strangler.management.command import StranglerCommand
from strangler.rollout.engines import haproxy_configuration


class Command(StranglerCommand):
    help = "Writes the configuration that an HAProxy runs with, once; its routes follow with publishroutes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="Where to; HAProxy's socket and its routes are there too.")
        parser.add_argument("--bind", default="127.0.0.1:8000", help="Where clients come.")
        parser.add_argument(
            "--companion",
            action="append",
            default=[],
            metavar="HOST:PORT",
            help="Where a Python proxy listens for it; several are asked in turn. See docs/engines.md.",
        )

    def run(self, **options: Any) -> None:
        layout = haproxy_configuration.write(
            options["directory"],
            bind=options["bind"],
            companions=options["companion"],
            monolith=conf.configuration().monolith_upstream,
        )
        self.stdout.write(f'Start it with "haproxy -W -f {layout.configuration}", then send the routes: publishroutes.')
