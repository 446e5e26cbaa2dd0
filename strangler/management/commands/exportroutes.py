"""Write the routes as configuration of a gateway that the toolkit does not tell itself."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from strangler.management.command import StranglerCommand, address
from strangler.plans import wiring
from strangler.rollout.exports.files import KINDS, exported


class Command(StranglerCommand):
    help = "Writes the route table as configuration of nginx, an AWS load balancer or API Gateway. See docs/engines.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=KINDS)
        parser.add_argument("directory", type=Path, help="Where to; it is made where it is missing.")
        parser.add_argument("--listen", default="80", help="What nginx listens on.")
        parser.add_argument(
            "--companion",
            type=address,
            action="append",
            default=[],
            metavar="HOST:PORT",
            help="Where a Python proxy listens, for what is not settled; of several API Gateway asks the first.",
        )

    def run(self, **options: Any) -> None:
        table = wiring.routes().derive()
        files = exported(options["kind"], table, listen=options["listen"], companions=options["companion"])
        options["directory"].mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (options["directory"] / name).write_text(text)
            self.stdout.write(str(options["directory"] / name))
