"""Print every effect that a plan would have, in the manner of sqlmigrate."""

from argparse import ArgumentParser
from typing import Any

from strangler.management.command import StranglerCommand, position
from strangler.plans import wiring


class Command(StranglerCommand):
    help = "Prints every effect that applyplan would have from where the plan is, SQL included. Changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", help="Name of the plan, or its beginning.")
        parser.add_argument("to", nargs="?", type=position, help='Number of operations, or "zero".')
        parser.add_argument("--final", action="store_true", help="Include the operations that end the way back.")

    def run(self, **options: Any) -> None:
        executor = wiring.executor()
        plan = executor.project.plan(options["plan"])
        lines = list(executor.effects(plan, options["to"], final=options["final"]))
        self.stdout.write("\n".join(lines) or f'-- plan "{plan.name}" is there already')
