"""Takes messages from a queue, one after the other, while the notifications are here."""

import json
import logging

from monolith.backoff import full_jitter
from monolith.notifications.events import UnknownVersion
from monolith.notifications.placement import notifications_moved

WAIT_SECONDS = 5
PAUSE, LONGEST_PAUSE = 1, 60

logger = logging.getLogger(__name__)


def take_one(queue, handle, *, dead=None, wait=WAIT_SECONDS):
    """Receive one message and give its content to `handle`; returns how many were received.

    It is deleted after `handle` has returned, never before. What failed comes again after a while, and goes to the
    dead-letter queue when the queue has given it out often enough. An unknown version is parked there (`dead`) at
    once. One at a time, since what comes behind a message that fails must not be counted as failed with it.
    """
    if notifications_moved():
        return 0
    received = queue.receive(wait=wait)
    for delivery in received:
        try:
            handle(json.loads(delivery.body))
        except UnknownVersion as error:
            logger.warning("event parked", extra={"reason": str(error)})
            # First sent, then deleted: who dies in between leaves two of it rather than none.
            dead.send(delivery, why=str(error))
        except Exception:
            pause = round(full_jitter(delivery.receives, base=PAUSE, cap=LONGEST_PAUSE))
            logger.exception("message left in the queue", extra={"receives": delivery.receives, "pause": pause})
            queue.give_back(delivery, seconds=pause)
            continue
        queue.delete(delivery)
    return len(received)
