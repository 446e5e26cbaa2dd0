import json

from django.core.management.base import BaseCommand, CommandError

from monolith.notifications.deadletters import described, event_of, redrive, waiting
from monolith.notifications.queue import configured


class Command(BaseCommand):
    help = "Shows what lies in the dead-letter queue of the shop's events, and puts it back into their queue."

    def add_arguments(self, parser):
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="a line for each message")
        verbs.add_parser("show", help="one message as it is").add_argument("event")
        back = verbs.add_parser("redrive", help="put messages back, all of them unless events are named")
        back.add_argument("events", nargs="*", metavar="event")

    def handle(self, *args, verb, **options):
        dead = configured("NOTIFICATIONS_DEAD_QUEUE")
        if verb == "redrive":
            back = redrive(dead, configured("NOTIFICATIONS_QUEUE"), events=set(options["events"]) or None)
            self.stdout.write(f"{len(back)} put back")
            return
        found = waiting(dead)
        if verb == "list":
            self.stdout.write("\n".join([*(described(one) for one in found), f"{len(found)} in the dead-letter queue"]))
            return
        chosen = [one for one in found if event_of(one) == options["event"]]
        if not chosen:
            raise CommandError(f'No message of event "{options["event"]}" is in the dead-letter queue; see "list".')
        for one in chosen:
            self.stdout.write(json.dumps(json.loads(one.body), indent=2))
