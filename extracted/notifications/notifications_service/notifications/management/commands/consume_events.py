from django.core.management.base import BaseCommand

from notifications_service.notifications import inbox
from notifications_service.notifications.running import run


class Command(BaseCommand):
    help = "Takes the shop's events while the tables are here, until it is told to end (SIGTERM)."
    requires_system_checks = []  # it serves no pages, and starts in half the time without looking them through

    def handle(self, *args, **options):
        run(inbox.handle, queue="QUEUE", dead="DEAD_QUEUE")
