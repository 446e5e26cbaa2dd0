from functools import partial

from django.core.management.base import BaseCommand

from monolith.daemon import run
from monolith.notifications.feedback import take_feedback
from monolith.notifications.queue import configured
from monolith.notifications.receiving import take_one


class Command(BaseCommand):
    help = "Takes what SES tells of mails from the queue while the notifications are here, until it is told to end."
    requires_system_checks = []  # it serves no pages, and starts in half the time without looking them through

    def handle(self, *args, **options):
        queue = configured("NOTIFICATIONS_FEEDBACK_QUEUE")
        run(partial(take_one, queue, take_feedback), idle=1)
