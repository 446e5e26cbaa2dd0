"""The mail queue: a table. Whoever sends one says so there first, so that nobody else does.

A mail is claimed in one transaction and handed over in a second one, which begins with a write: where the mails have
moved meanwhile, the database refuses that write and nothing is sent, and a move that comes later waits for the answer.
Who dies in between leaves a mail in "sending". It may be out: what SES tells of it settles that (`feedback.py`), and
only if nothing has come within `UNKNOWN_FOR` it is sent again.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from monolith.backoff import full_jitter
from monolith.notifications.models import Mail, Suppression
from monolith.notifications.outcomes import NotSent, Rejected, Unknown
from monolith.notifications.placement import notifications_moved
from monolith.notifications.transports import transport

MOST_ATTEMPTS = 16
PAUSE, LONGEST_PAUSE = 2, 3600
UNKNOWN_FOR = timedelta(minutes=2)

State = Mail.State
logger = logging.getLogger(__name__)


def send_queued(*, limit=100, by=None):
    """Send what is due, through `by` or what is configured; several senders may run side by side. Gives how many."""
    if notifications_moved():
        return 0
    by = by or transport()
    sent = 0
    for _ in range(limit):
        mail = claim(Mail.objects.filter(_due(timezone.now())))
        if mail is None:
            break
        sent += mail.state == State.SENDING and hand_over(mail, by)
    return sent


def send_now(key):
    """Send one mail without waiting for its turn, if it still waits."""
    mail = claim(Mail.objects.filter(pk=key, state=State.QUEUED, attempts=0))
    if mail is not None and mail.state == State.SENDING:
        hand_over(mail, transport())


@transaction.atomic
def claim(candidates):
    """The first of `candidates` that nobody else is at, now "sending", or at its end without; None without any."""
    mail = candidates.select_for_update(skip_locked=True).order_by("next_try_at", "pk").first()
    if mail is None:
        return None
    if Suppression.objects.filter(address=mail.recipient.lower()).exists():
        mail.state = State.SUPPRESSED
    elif mail.attempts >= MOST_ATTEMPTS:
        mail.state = State.FAILED
    else:
        mail.state, mail.claimed_at, mail.attempts = State.SENDING, timezone.now(), mail.attempts + 1
    mail.save(update_fields=["state", "claimed_at", "attempts"])
    return mail


def hand_over(mail, by):
    """Send a claimed mail, unless it was settled meanwhile, and write down what came of it; whether it was sent."""
    came = _give(mail, by)
    if came is None:
        return False
    state = came.get("state", State.SENDING)
    logger.info("mail", extra={"mail": mail.pk, "attempt": mail.attempts, "state": str(state)})
    return state == State.SENT


@transaction.atomic
def _give(mail, by):
    """What changes of the mail, or None where nothing was done."""
    mine = Mail.objects.filter(pk=mail.pk, state=State.SENDING, attempts=mail.attempts)
    if not mine.update(claimed_at=timezone.now()):
        return None
    try:
        came = {"state": State.SENT, "message_id": by.send(mail), "sent_at": timezone.now(), "error": ""}
    except NotSent as error:
        pause = full_jitter(mail.attempts, base=PAUSE, cap=LONGEST_PAUSE)
        later = timezone.now() + timedelta(seconds=pause)
        came = {"state": State.QUEUED, "next_try_at": later, "error": str(error)}
    except Rejected as error:
        came = {"state": State.FAILED, "error": str(error)}
    except Unknown as error:
        came = {"error": str(error)}
    mine.update(**came)
    return came


def _due(now):
    waiting = Q(state=State.QUEUED, next_try_at__lte=now)
    return waiting | Q(state=State.SENDING, claimed_at__lt=now - UNKNOWN_FOR)
