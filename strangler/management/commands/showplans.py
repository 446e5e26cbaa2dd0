"""List all plans and how far they are, in the manner of showmigrations, or draw them, or tell what happened to one."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from strangler.management.command import StranglerCommand
from strangler.plans import drawing, wiring
from strangler.plans.errors import PlanError
from strangler.plans.page import record_page
from strangler.plans.report import report_plans


class Command(StranglerCommand):
    help = "Lists plans and operations: [X] applied, [~] half done, [ ] open, [!] something is wrong. Changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", nargs="?", help="Name of the plan, or its beginning; default: all.")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="Print JSON.")
        for name, draw in (("Mermaid", drawing.mermaid), ("SVG", drawing.svg)):
            text = f"Print the graph of all plans as {name}."
            form.add_argument(f"--{name.lower()}", dest="draw", action="store_const", const=draw, help=text)
        form.add_argument("--html", action="store_true", help="Print one plan's record as a page of HTML.")

    def run(self, **options: Any) -> None:
        project = wiring.project()
        chosen = [project.plan(options["plan"])] if options["plan"] else project.plans
        reports = list(report_plans(project.plans if options["draw"] else chosen, wiring.recorder))
        if options["html"]:
            if not options["plan"]:
                raise PlanError('name one plan, such as "manage.py showplans 0001_reviews --html"')
            self.stdout.write(record_page(reports[0], wiring.recorder(chosen[0]).read()))
        elif options["json"]:
            self.stdout.write(json.dumps([asdict(report) for report in reports], indent=2))
        elif options["draw"]:
            self.stdout.write(options["draw"](reports))
        else:
            self.stdout.write("\n".join(map(str, reports)) or "There are no plans yet.")
