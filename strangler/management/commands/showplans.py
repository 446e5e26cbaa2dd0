"""List all plans and how far they are, in the manner of showmigrations."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from strangler.management.command import StranglerCommand
from strangler.plans import wiring
from strangler.plans.report import report_plans


class Command(StranglerCommand):
    help = "Lists all plans with their operations: [X] applied, [~] half done, [ ] open. Changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def run(self, **options: Any) -> None:
        reports = list(report_plans(wiring.project(), wiring.recorder))
        text = (
            json.dumps([asdict(report) for report in reports], indent=2)
            if options["json"]
            else "\n".join(map(str, reports))
        )
        self.stdout.write(text or "There are no plans yet.")
