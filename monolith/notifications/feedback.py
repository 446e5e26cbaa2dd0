"""What SES tells of mails after it has taken them: that it did, that they came back, that somebody complained.

All of it may come again, late, or before SES's own answer. (docs.aws.amazon.com/ses, "Event data that Amazon SES
publishes to Amazon SNS".)
"""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from monolith.notifications.errors import NotHere
from monolith.notifications.models import Mail, Suppression
from monolith.notifications.placement import notifications_moved

MOST_SOFT_BOUNCES = 3
"""Mails to one address that came back for a reason that may pass; then it is written to no more."""
SOFT = "soft bounce"


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """`mail`: the key of ours that it is about, None where it bears no tag. `addresses` are in small letters."""

    kind: str
    mail: int | None
    message_id: str
    addresses: tuple[str, ...]
    permanent: bool


def take_feedback(told):
    """Settle mails whose answer was lost, suppress addresses. Raises NotHere, or ValueError for what SES never says."""
    feedback = read_feedback(told)
    if feedback is None:
        return
    if notifications_moved():
        raise NotHere("what became of a mail is for the service that has the notifications")
    with transaction.atomic():
        _HANDLERS[feedback.kind](feedback)


def read_feedback(told):
    """What is in an event of SES's; None for a kind that changes nothing here. Pure."""
    try:
        kind, about = told["eventType"], told["mail"]
        if kind not in _HANDLERS:
            return None
        detail = told.get(kind.lower(), {})
        who = detail.get("bouncedRecipients", []) + detail.get("complainedRecipients", [])
        keys = about.get("tags", {}).get("mail", [])
        return Feedback(
            kind=kind,
            mail=int(keys[0]) if keys else None,
            message_id=about["messageId"],
            addresses=tuple(one["emailAddress"].lower() for one in who),
            permanent=detail.get("bounceType") == "Permanent",
        )
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"this is not what SES tells of a mail: {told!r:.200}") from error


def _send(feedback):
    # Of whatever attempt: it is out, so that none may follow. Somebody who is at one holds the row, and is waited for.
    waiting = Mail.objects.filter(pk=feedback.mail, state__in=[Mail.State.SENDING, Mail.State.QUEUED], attempts__gt=0)
    waiting.update(state=Mail.State.SENT, message_id=feedback.message_id, sent_at=timezone.now(), error="")


def _bounce(feedback):
    kind = "bounce" if feedback.permanent else SOFT
    Mail.objects.filter(pk=feedback.mail).update(error=kind)
    for address in feedback.addresses:
        if feedback.permanent or _soft_bounces(address) >= MOST_SOFT_BOUNCES:
            _suppress(address, kind)


def _complaint(feedback):
    for address in feedback.addresses:
        _suppress(address, "complaint")


def _soft_bounces(address):
    return Mail.objects.filter(recipient__iexact=address, error=SOFT).count()


def _suppress(address, reason):
    Suppression.objects.get_or_create(address=address, defaults={"reason": reason})


_HANDLERS = {"Send": _send, "Bounce": _bounce, "Complaint": _complaint}
