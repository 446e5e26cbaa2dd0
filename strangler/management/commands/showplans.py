"""List all plans and how far they are, in the manner of showmigrations, or draw them, or tell what happened to one."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from strangler.management.command import StranglerCommand
from strangler.plans import drawing, wiring
from strangler.plans.page import record_page
from strangler.plans.report import report_plan, report_plans


class Command(StranglerCommand):
    help = "Lists plans and operations: [X] applied, [~] half done, [ ] open, [!] something is wrong. Changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", nargs="?", help="Name of the plan, or its beginning; default: all.")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="Print JSON.")
        form.add_argument("--mermaid", action="store_true", help="Print the graph of all plans for Mermaid.")
        form.add_argument("--svg", action="store_true", help="Print the graph of all plans as a picture.")
        form.add_argument("--html", action="store_true", help="Print one plan's record as a page of HTML.")

    def run(self, **options: Any) -> None:
        project = wiring.project()
        chosen = [project.plan(options["plan"])] if options["plan"] else project.plans
        if options["html"]:
            for plan in chosen if options["plan"] else [project.plan("")]:
                recorder = wiring.recorder(plan)
                self.stdout.write(record_page(report_plan(plan, recorder), recorder.read()))
            return
        reports = list(report_plans(project.plans if options["svg"] or options["mermaid"] else chosen, wiring.recorder))
        if options["json"]:
            self.stdout.write(json.dumps([asdict(report) for report in reports], indent=2))
        elif options["svg"] or options["mermaid"]:
            self.stdout.write((drawing.svg if options["svg"] else drawing.mermaid)(reports))
        else:
            self.stdout.write("\n".join(map(str, reports)) or "There are no plans yet.")
