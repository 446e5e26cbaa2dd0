"""What SES tells of our mails: that it has sent one, that one came back, that somebody complained.

All of it may come twice and in any order: a fact is noted where it is not known yet.
"""

import json
import logging

from django.db import transaction
from django.utils.dateparse import parse_datetime

from notifications_service.notifications.models import Mail, Suppression

logger = logging.getLogger(__name__)


@transaction.atomic
def handle(body):
    """Deal with one message of SES's. What is not understood is told in the log, and done with."""
    try:
        event = json.loads(body)
        kind, about = event["eventType"], event["mail"]
        if kind == "Send":
            _settle(about)
        elif kind == "Bounce" and event["bounce"]["bounceType"] == "Permanent":
            _suppress(event["bounce"]["bouncedRecipients"], "bounce")
        elif kind == "Complaint":
            _suppress(event["complaint"]["complainedRecipients"], "complaint")
        facts = {"event": kind, "mail": _tag(about, "mail"), "to": len(about["destination"])}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        logger.warning("not understood", extra={"facts": {"reason": repr(error)}})
        return
    logger.info("feedback", extra={"facts": facts})


def _settle(about):
    """It was sent, whatever the sender knows of that; so it is not sent again."""
    sent = Mail.objects.filter(
        pk=int(_tag(about, "mail")),
        # Those of another database, which has the same numbers, are not ours.
        recipient__in=about["destination"],
        attempts__gte=int(_tag(about, "attempt")),
    )
    sent.exclude(state=Mail.State.SENT).update(
        state=Mail.State.SENT, message_id=about["messageId"], sent_at=parse_datetime(about["timestamp"]), error=""
    )


def _suppress(recipients, reason):
    addresses = {one["emailAddress"].lower() for one in recipients}
    Suppression.objects.bulk_create(
        [Suppression(address=address, reason=reason) for address in sorted(addresses)], ignore_conflicts=True
    )


def _tag(about, name):
    """SES gives a list for each tag. A mail that bears none of ours is nobody's here."""
    return about.get("tags", {}).get(name, ["0"])[0]
