from django.core.management.base import BaseCommand

from notifications_service.notifications import feedback
from notifications_service.notifications.running import run


class Command(BaseCommand):
    help = "Takes what SES tells of our mails while the tables are here, until it is told to end (SIGTERM)."
    requires_system_checks = []  # it serves no pages, and starts in half the time without looking them through

    def handle(self, *args, **options):
        run(feedback.handle, queue="FEEDBACK_QUEUE")
