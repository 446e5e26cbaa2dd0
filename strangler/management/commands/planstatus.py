"""Who owns, who serves, how far behind, whether one can go back, and what to do next."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from strangler.management.command import StranglerCommand
from strangler.plans import wiring


class Command(StranglerCommand):
    help = "Shows who owns and who serves, the lag, whether one can go back, and what to do next. Changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", nargs="?", help="Name of the plan, or its beginning; default: all.")
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def run(self, **options: Any) -> None:
        project = wiring.project()
        plans = [project.plan(options["plan"])] if options["plan"] else project.plans
        statuses = [wiring.status(project, plan) for plan in plans]
        if options["json"]:
            self.stdout.write(json.dumps([asdict(status) for status in statuses], indent=2))
        else:
            self.stdout.write("\n\n".join(map(str, statuses)) or "There are no plans yet.")
