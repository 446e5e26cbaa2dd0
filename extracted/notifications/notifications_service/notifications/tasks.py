"""What the Celery worker does. A task that is lost, or done twice, changes nothing: the table is the queue."""

import logging

from celery import shared_task
from django.conf import settings
from django.db import DatabaseError, transaction

from notifications_service import tracing
from notifications_service.fence import owns, refused
from notifications_service.notifications import feedback, sending
from notifications_service.notifications.consuming import take
from notifications_service.notifications.queues import Queue

SWEEP = 100
"""Mails that one sweep deals with, and messages by the batch; the next one goes on."""

logger = logging.getLogger(__name__)


@shared_task(name="notifications.send")
def send(mail_id, traceparent=""):
    """Send one mail, if it still waits for that."""
    with tracing.continued(traceparent):
        _unless_refused(lambda: sending.send_next(mail_id=mail_id))


@shared_task(name="notifications.sweep")
def sweep():
    """Send what is due and was never enqueued, or is to be tried again."""
    if not owns():
        return
    with tracing.continued(""):
        _unless_refused(lambda: sending.queue_what_stayed_unknown(hear=_hear_ses_out))
        for _ in range(SWEEP):
            if not _unless_refused(sending.send_next):
                break


def send_after_commit(mail_id):
    """Enqueue the mail once the transaction has committed."""
    traceparent = tracing.current()
    transaction.on_commit(lambda: _enqueue(mail_id, traceparent))


def _hear_ses_out():
    """Read what the feedback's consumer has not: it may be behind, or dead. Whether the queue's end was reached."""
    if not settings.FEEDBACK_QUEUE:
        return True
    queue = Queue(settings.FEEDBACK_QUEUE)
    # Only who waits at an SQS queue hears of all that is in it.
    return any(take(queue, feedback.handle, wait=1) == 0 for _ in range(SWEEP))


def _enqueue(mail_id, traceparent):
    try:
        send.delay(mail_id, traceparent)
    except Exception as error:
        # Every broker's client fails in its own way. The mail is committed, and the sweep finds it.
        logger.warning("not enqueued, left to the sweep", extra={"facts": {"mail": mail_id, "reason": str(error)}})


def _unless_refused(act):
    """What `act` returns; None where the fence refuses it: the mails are another's now, who will do it."""
    try:
        return act()
    except DatabaseError as error:
        if not refused(error):
            raise
        logger.info("the mails are elsewhere")
        return None
