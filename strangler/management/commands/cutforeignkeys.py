"""Write the migrations that a plan's CutForeignKeys name."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from strangler.management.command import StranglerCommand
from strangler.plans import wiring
from strangler.plans.writer import write_cuts


class Command(StranglerCommand):
    help = "Writes the monolith's migrations that a plan's CutForeignKeys name; applyplan applies them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", help="Name of the plan, or its beginning.")
        parser.add_argument("--output", type=Path, help="Directory to write to instead of the apps' own.")

    def run(self, **options: Any) -> None:
        project = wiring.project()
        plan = project.plan(options["plan"])
        cuts = tuple(cut for cut in project.states(plan.name)[-1].cuts if cut.plan == plan.name)
        for path in write_cuts(cuts, options["output"]):
            self.stdout.write(f"Wrote {path}")
        if not cuts:
            self.stdout.write(f'Plan "{plan.name}" cuts no foreign key.')
