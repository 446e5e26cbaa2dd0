from functools import partial

from django.core.management.base import BaseCommand

from monolith.daemon import run
from monolith.notifications.consuming import consume
from monolith.notifications.queue import configured
from monolith.notifications.receiving import take_one


class Command(BaseCommand):
    help = "Takes the shop's events from the queue while the notifications are here, until it is told to end (SIGTERM)."
    requires_system_checks = []  # it serves no pages, and starts in half the time without looking them through

    def handle(self, *args, **options):
        queue, dead = configured("NOTIFICATIONS_QUEUE"), configured("NOTIFICATIONS_DEAD_QUEUE")
        run(partial(take_one, queue, consume, dead=dead), idle=1)
