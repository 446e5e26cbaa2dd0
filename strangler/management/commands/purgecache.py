"""Have all proxies forget answers that they keep."""

from argparse import ArgumentParser
from typing import Any

from strangler.management.command import StranglerCommand
from strangler.plans import wiring


class Command(StranglerCommand):
    help = "Has all proxies forget the answers that they keep below a route, or with a tag."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--route", default="", help='A pattern as in policies; "/" is everything.')
        what.add_argument("--tag", default="", help="A tag that a policy or an answer's Cache-Tag gave.")

    def run(self, **options: Any) -> None:
        purged = wiring.routes().fleet.purge(route=options["route"], tag=options["tag"])
        self.stdout.write(f"All proxies have forgotten what they kept of it: {purged} answers.")
