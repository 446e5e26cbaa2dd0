from django.core.management.base import BaseCommand, CommandError

from notifications_service.notifications.deadletters import described, names_of, redrive, waiting
from notifications_service.notifications.queues import Queue
from notifications_service.notifications.running import url_of


class Command(BaseCommand):
    help = "Shows the messages that nobody could deal with, and puts them back into their queue."

    def add_arguments(self, parser):
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="a line for each: event, since when, what, and why it is there")
        verbs.add_parser("show", help="one of them as it is").add_argument("name", help="its event's id, or its own")
        back = verbs.add_parser("redrive", help="put back those that are named, or all")
        back.add_argument("names", nargs="*", metavar="name", help="an event's id, or a message's own")

    def handle(self, *args, verb, **options):
        dead = Queue(url_of("DEAD_QUEUE"))
        if verb == "redrive":
            moved = redrive(dead, url_of("QUEUE"), names=options["names"])
            self.stdout.write(f"{len(moved)} put back")
            return
        found = waiting(dead)
        if verb == "list":
            self.stdout.write("\n".join([*map(described, found), f"{len(found)} in the dead-letter queue"]))
            return
        chosen = [message for message in found if options["name"] in names_of(message)]
        if not chosen:
            raise CommandError(f'there is no message of "{options["name"]}" in the dead-letter queue; see "list"')
        self.stdout.write("\n".join(message.body for message in chosen))
