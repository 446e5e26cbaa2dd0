"""A consumer as a process: it ends on SIGTERM or SIGINT, between two batches."""

import signal
import threading

from django.conf import settings
from django.core.management.base import CommandError

from notifications_service.notifications.consuming import consume
from notifications_service.notifications.queues import Queue


def run(handle, *, queue, dead=None):
    """Consume the queue whose URL is in the setting `queue`; `dead` names that of the dead-letter queue, if any."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    consume(Queue(url_of(queue), dead=url_of(dead) if dead else ""), handle, stopping=stopping)


def url_of(setting):
    """The URL in a setting. Raises CommandError where there is none."""
    url = getattr(settings, setting)
    if not url:
        raise CommandError(f"NOTIFICATIONS_{setting} is not set: give it the queue's URL.")
    return url
