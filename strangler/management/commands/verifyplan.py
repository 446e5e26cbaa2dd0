"""Compare a plan's tables on both sides, key by key and column by column where they differ."""

from argparse import ArgumentParser
from typing import Any

from strangler.management.command import StranglerCommand
from strangler.plans import wiring
from strangler.plans.errors import PlanError


class Command(StranglerCommand):
    help = "Compares all rows of a plan's tables on both sides, while writes go on. Changes no row, but for --repair."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", help="Name of the plan, or its beginning.")
        parser.add_argument(
            "--repair", action="store_true", help="Bring the owner's rows over where they differ, and record which."
        )

    def run(self, **options: Any) -> None:
        verifier = wiring.verifier(options["plan"], self.stdout.write)
        found = verifier.verify()
        for line in (*found.differences, *found.orphans):
            self.stdout.write(str(line))
        if found.differences and options["repair"]:
            found = verifier.repair(found)
        if not found.equal:
            what = f"{len(found.differences):,} of {found.rows:,} rows differ" if found.differences else str(found)
            raise PlanError(f"{verifier.plan.name}: {what}")
        self.stdout.write(f"{verifier.plan.name}: {found}.")
