from django.core.management.base import BaseCommand

from monolith.workflow.engine import run_due


class Command(BaseCommand):
    help = "Takes the workflows whose time has come further."

    def add_arguments(self, parser):
        parser.add_argument("--limit", type=int, default=100, help="the most steps to take in one run")

    def handle(self, *args, limit, **options):
        self.stdout.write(f"{run_due(limit=limit)} steps")
