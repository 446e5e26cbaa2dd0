"""Replace the folders of completed plans by one, in the manner of squashmigrations."""

from argparse import ArgumentParser
from typing import Any

from strangler.management.command import StranglerCommand
from strangler.plans import wiring
from strangler.plans.loader import load_plan
from strangler.plans.squash import write_squash


class Command(StranglerCommand):
    help = "Replaces the folders of plans that are over by one folder. Their names and records are kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plans", nargs="+", help="Names of the plans, or their beginnings.")

    def run(self, **options: Any) -> None:
        project = wiring.project()
        names = {project.plan(name).name for name in options["plans"]}
        folder = write_squash([plan for plan in project.plans if plan.name in names], wiring.recorder, load_plan)
        self.stdout.write(f"Wrote {folder / 'plan.py'}; the folders of {', '.join(sorted(names))} are gone.")
