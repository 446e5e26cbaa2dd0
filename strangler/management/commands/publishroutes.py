"""Send the derived route table to all proxies."""

import json
from argparse import ArgumentParser
from typing import Any

from strangler.management.command import StranglerCommand
from strangler.plans import wiring


class Command(StranglerCommand):
    help = "Derives the route table from plans and databases and sends it to all proxies."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Print the table as JSON and send nothing.")

    def run(self, **options: Any) -> None:
        routes = wiring.routes()
        if options["dry_run"]:
            self.stdout.write(json.dumps(routes.derive().to_json(), indent=2))
            return
        routes.publish()
        self.stdout.write("All proxies have the table.")
