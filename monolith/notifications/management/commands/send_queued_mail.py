from django.core.management.base import BaseCommand

from monolith.notifications.sending import send_queued


class Command(BaseCommand):
    help = "Sends the mails that are due."

    def add_arguments(self, parser):
        parser.add_argument("--limit", type=int, default=100, help="the most to send in one run")

    def handle(self, *args, limit, **options):
        self.stdout.write(f"{send_queued(limit=limit)} sent")
