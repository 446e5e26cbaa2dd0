"""Mails on their way: claimed, given to SES, and what came of it.

A mail is claimed in one transaction and given to SES in a second one, which begins with a write: behind a fence that
came between, the database refuses it and nothing is sent; one that comes later waits for SES's answer. Who dies in
between leaves the mail "sending": it may have been sent. SES's own event settles that (feedback.py), and only if none
comes is it sent again.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from notifications_service.notifications import ses
from notifications_service.notifications.backoff import full_jitter
from notifications_service.notifications.models import Mail, Suppression

GIVE_UP_AFTER = timedelta(days=2)
_LONGEST_PAUSE = 900

logger = logging.getLogger(__name__)


def send_next(*, mail_id=None):
    """Deal with the mail, or with the one that is due for longest; False where there is none. Several may do so."""
    mail = _claim(mail_id)
    if mail is None:
        return False
    facts = {"mail": mail.pk, "attempt": mail.attempts, "state": mail.state}
    if mail.state == Mail.State.SENDING:
        facts |= _give(mail)
    logger.info("mail", extra={"facts": facts})
    return True


def queue_what_stayed_unknown(*, hear):
    """Let be sent again what was claimed long ago, and of which SES has told nothing since.

    `hear` takes in what SES has told and nobody has read yet, and returns whether that was all of it; else nothing is
    concluded. It is called only where there is such a mail.
    """
    if not _unknown_for_too_long() or not hear():
        return
    for mail in _unknown_for_too_long():
        error = f"nothing was heard of attempt {mail.attempts}"
        _at_this_attempt(mail).update(error=error, **_again_or_never(mail, pause=0))


@transaction.atomic
def _claim(mail_id):
    now = timezone.now()
    due = Mail.objects.select_for_update(skip_locked=True).filter(state=Mail.State.QUEUED, next_try_at__lte=now)
    if mail_id is not None:
        due = due.filter(pk=mail_id)
    mail = due.order_by("next_try_at", "id").first()
    if mail is None:
        return None
    if Suppression.objects.filter(pk=mail.recipient.lower()).exists():
        mail.state = Mail.State.SUPPRESSED
    else:
        mail.state, mail.claimed_at, mail.attempts = Mail.State.SENDING, now, mail.attempts + 1
    mail.save(update_fields=["state", "claimed_at", "attempts"])
    return mail


@transaction.atomic
def _give(mail):
    """Ask SES and note what it says; the facts of that. Nothing where it was settled or claimed anew meanwhile."""
    claimed = _at_this_attempt(mail)
    if not claimed.update(claimed_at=timezone.now()):
        return {"state": "settled"}
    came = _answer(mail)
    claimed.update(**came)
    return {"state": came.get("state", mail.state), "reason": came["error"]}


def _answer(mail):
    """What SES's answer makes of a mail."""
    try:
        message_id = ses.send(mail)
    except ses.Unclear as error:
        return {"error": str(error)}
    except ses.Rejected as error:
        return {"state": Mail.State.FAILED, "error": str(error)}
    except ses.NotTaken as error:
        pause = full_jitter(mail.attempts, base=1, cap=_LONGEST_PAUSE)
        return {"error": str(error), **_again_or_never(mail, pause=pause)}
    return {"state": Mail.State.SENT, "message_id": message_id, "sent_at": timezone.now(), "error": ""}


def _again_or_never(mail, *, pause):
    now = timezone.now()
    if mail.created_at < now - GIVE_UP_AFTER:
        return {"state": Mail.State.FAILED}
    return {"state": Mail.State.QUEUED, "next_try_at": now + timedelta(seconds=pause)}


def _unknown_for_too_long():
    now = timezone.now()
    claimed = Mail.objects.filter(
        state=Mail.State.SENDING, claimed_at__lt=now - timedelta(seconds=settings.UNKNOWN_FOR)
    )
    return [mail for mail in claimed.order_by("claimed_at") if mail.unknown_until < now]


def _at_this_attempt(mail):
    return Mail.objects.filter(pk=mail.pk, state=Mail.State.SENDING, attempts=mail.attempts)
