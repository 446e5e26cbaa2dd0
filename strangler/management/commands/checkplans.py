"""Check all plans against each other and against the models, without any database."""

from typing import Any

from strangler.management.command import StranglerCommand
from strangler.plans import wiring


class Command(StranglerCommand):
    help = "Checks all plans: files, order, models, foreign keys, owners of tables and routes. Changes nothing."

    def run(self, **options: Any) -> None:
        project = wiring.project()
        project.final_state()
        self.stdout.write(f"{len(project.plans)} plan{'s' * (len(project.plans) != 1)}, nothing to complain about.")
