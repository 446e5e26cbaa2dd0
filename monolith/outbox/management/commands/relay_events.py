from functools import partial

from django.core.management.base import BaseCommand

from monolith.daemon import run
from monolith.outbox.destination import destination
from monolith.outbox.relay import relay_all

LOOK_SECONDS = 0.2


class Command(BaseCommand):
    help = "Hands the shop's events on as they come, until it is told to end (SIGTERM). Several may run."
    requires_system_checks = []  # it serves no pages, and starts in half the time without looking them through

    def handle(self, *args, **options):
        run(partial(relay_all, destination()), idle=LOOK_SECONDS)
