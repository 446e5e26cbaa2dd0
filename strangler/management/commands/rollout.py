"""See how a rollout is judged, and hold it, push it or end it."""

import getpass
from argparse import ArgumentParser
from typing import Any

from strangler.management.command import StranglerCommand
from strangler.plans import wiring
from strangler.rollout.rollout import Wish

_WISHES = {"pause": Wish.PAUSE, "resume": Wish.GO_ON, "promote": Wish.PROMOTE, "abort": Wish.ABORT}


class Command(StranglerCommand):
    help = (
        "Shows how a plan's canary is judged at this moment, or asks the run that is under way to pause it, to go on, "
        'to take the next step without a verdict, or to give the reads back. "differences" lists what shadows showed.'
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", help="Name of the plan, or its beginning.")
        parser.add_argument("what", nargs="?", choices=["show", "differences", *_WISHES], default="show")

    def run(self, **options: Any) -> None:
        project = wiring.project()
        plan = project.plan(options["plan"])
        if options["what"] == "differences":
            self.stdout.write(wiring.shadowed(plan))
            return
        if options["what"] == "show":
            self.stdout.write("\n".join(map(str, wiring.judged(project, plan))))
            return
        wiring.wishes(plan).ask(_WISHES[options["what"]], getpass.getuser())
        self.stdout.write(
            f"{plan.name}: {options['what']} was asked; the run that is under way, or the next, hears it."
        )
