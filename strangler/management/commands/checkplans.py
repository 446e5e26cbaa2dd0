"""Check all plans against each other, the models and their records, without any database."""

from typing import Any

from strangler.management.command import StranglerCommand
from strangler.plans import wiring
from strangler.plans.errors import PlanError
from strangler.plans.report import check_plans


class Command(StranglerCommand):
    help = "Checks all plans: files, order, models, owners of tables and routes, and their records. Changes nothing."

    def run(self, **options: Any) -> None:
        project = wiring.project()
        if problems := check_plans(project, wiring.recorder):
            raise PlanError("\n".join(problems))
        self.stdout.write(f"{len(project.plans)} plan{'s' * (len(project.plans) != 1)}, nothing to complain about.")
