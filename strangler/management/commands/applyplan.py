"""Run a plan forwards or backwards, in the manner of migrate."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from strangler.management.command import StranglerCommand, position
from strangler.plans import wiring


class Command(StranglerCommand):
    help = "Brings a plan to a position, forwards or backwards. What was interrupted is finished or undone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", help="Name of the plan, or its beginning.")
        parser.add_argument("to", nargs="?", type=position, help='Number of operations, or "zero"; default: all.')
        parser.add_argument("--final", action="store_true", help="Include the operations that end the way back.")
        parser.add_argument("--dry-run", action="store_true", help="Print every effect and have none, as sqlplan.")
        parser.add_argument("--noinput", action="store_true", help="Do not ask before what cannot be undone.")

    def run(self, **options: Any) -> None:
        executor = wiring.executor(self.stdout.write)
        plan = executor.project.plan(options["plan"])
        to, final = options["to"], options["final"]
        effects = list(executor.effects(plan, to, final=final)) if final or options["dry_run"] else []
        if options["dry_run"]:
            self.stdout.write("\n".join(effects) or f'-- plan "{plan.name}" is there already')
            return
        if effects and not options["noinput"] and input("This cannot be undone. Go on? [y/N] ").lower() != "y":
            raise CommandError("nothing was changed")
        count = executor.run(plan, to, final=final)
        self.stdout.write(
            f"{plan.name}: {count} operation{'s' * (count != 1)} run; {executor.recorder(plan).position()}."
        )
