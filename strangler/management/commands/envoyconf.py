"""Write the directory that an Envoy runs from."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from strangler import conf
from strangler.management.command import StranglerCommand, address
from strangler.rollout.engines import envoy


class Command(StranglerCommand):
    help = "Writes the configuration that an Envoy runs with, once; its routes follow with publishroutes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="Where to; Envoy's socket and its routes are there too.")
        parser.add_argument("--bind", type=address, default=("127.0.0.1", 8000), help="Where clients come.")
        parser.add_argument(
            "--companion",
            type=address,
            action="append",
            default=[],
            metavar="HOST:PORT",
            help="Where a Python proxy listens for it; several are asked in turn. See docs/engines.md.",
        )

    def run(self, **options: Any) -> None:
        bootstrap = envoy.prepare(
            options["directory"],
            listen=options["bind"],
            companions=options["companion"],
            monolith=conf.configuration().monolith_upstream,
        )
        self.stdout.write(f'Start it with "envoy -c {bootstrap}", then send the routes: publishroutes.')
