"""Taking messages from a queue: one by one, each deleted only once what it is about has been committed."""

import logging

from botocore.exceptions import BotoCoreError, ClientError
from django.db import Error as DatabaseTrouble
from django.db import InterfaceError, OperationalError, close_old_connections

from notifications_service.fence import owns, refused
from notifications_service.notifications.backoff import full_jitter

WAIT = 5
"""Seconds that one asks the queue for a message; as long may a stop take."""
_ELSEWHERE_PAUSE = 1
_LONGEST_PAUSE = 15
_LONGEST_LATER = 60

logger = logging.getLogger(__name__)


class Later(Exception):
    """This cannot be dealt with yet: the message stays in the queue."""


class Poison(Exception):
    """Nobody here will ever deal with this: the message goes to the dead-letter queue, with this reason."""


def consume(queue, handle, *, stopping):
    """Take messages until `stopping` (an Event) is set, while our database owns what they change."""
    failures = 0
    while not stopping.is_set():
        try:
            if owns():
                take(queue, handle, wait=WAIT)
            else:
                stopping.wait(_ELSEWHERE_PAUSE)
            failures = 0
        except (DatabaseTrouble, BotoCoreError, ClientError) as error:
            failures += 1
            logger.warning("the queue or the database is away", extra={"facts": {"reason": str(error)}})
            stopping.wait(full_jitter(failures, base=0.5, cap=_LONGEST_PAUSE))
        finally:
            close_old_connections()


def take(queue, handle, *, wait=0):
    """Receive once, and hand on the body of each message; how many are out of the queue now.

    `handle` returns when it has committed what there was to do. Behind a message that stays, those of its group stay
    too. Raises OperationalError and InterfaceError where the database is away, since the next would fare no better.
    """
    done, held = 0, set()
    for message in queue.receive(wait=wait):
        if message.group and message.group in held:
            queue.leave(message, seconds=_ELSEWHERE_PAUSE)
        elif _dealt_with(queue, handle, message):
            done += 1
        else:
            held.add(message.group)
    return done


def _dealt_with(queue, handle, message):
    facts = {"message_id": message.id, "receives": message.receives}
    try:
        handle(message.body)
    except Poison as error:
        logger.error("parked in the dead-letter queue", extra={"facts": {**facts, "reason": str(error)}})
        queue.park(message, str(error))
        return True
    except Exception as error:
        _leave(queue, message, error, facts)
        if isinstance(error, OperationalError | InterfaceError) and not refused(error):
            raise
        return False
    queue.delete(message)
    return True


def _leave(queue, message, error, facts):
    """The queue's own policy ends it: after so many receives it moves the message to the dead-letter queue."""
    expected = isinstance(error, Later) or refused(error)
    seconds = _ELSEWHERE_PAUSE if refused(error) else max(1, full_jitter(message.receives, base=1, cap=_LONGEST_LATER))
    logger.log(
        logging.INFO if expected else logging.ERROR,
        "left in the queue",
        extra={"facts": {**facts, "seconds": round(seconds, 1), "reason": str(error)}},
        exc_info=None if expected else error,
    )
    queue.leave(message, seconds=seconds)
