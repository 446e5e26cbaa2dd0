"""Hands waiting events on: to the topic, or to the consumers in this process where there is none.

An event is marked in the transaction that locked it, after it was handed on. Whoever is killed in between hands it on
again, so a consumer must know what it has had already.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.module_loading import import_string

from monolith.outbox.models import Event

AT_ONCE = 10
"""The most events of one transaction; SNS takes as many in one call."""
KEPT = timedelta(days=30)
"""Events that were handed on are kept for people to look at."""

logger = logging.getLogger(__name__)


def relay_all(hand_on, *, subject=None):
    """Hand on all that waits (of one subject, where one is named); returns the number of events."""
    handed = 0
    while (more := _sweep(hand_on, subject)) > 0:
        handed += more
    return handed


@transaction.atomic
def relay_once(hand_on, *, subject=None, after=0):
    """Hand on the oldest waiting event of each of up to `AT_ONCE` subjects; `(number handed on, last key looked at)`.

    Of one subject only the oldest is on its way, in whatever process: another relay passes over what is locked here,
    and over what waits behind it. `hand_on` takes envelopes and gives the ids of the events that have arrived.
    """
    waiting = Event.objects.filter(sent_at=None)
    older = waiting.filter(subject=OuterRef("subject"), pk__lt=OuterRef("pk"))
    oldest = waiting.filter(~Exists(older), pk__gt=after)
    if subject is not None:
        oldest = oldest.filter(subject=subject)
    events = list(oldest.select_for_update(skip_locked=True).order_by("pk")[:AT_ONCE])
    if not events:
        return 0, None
    arrived = hand_on([envelope(event) for event in events])
    Event.objects.filter(event__in=arrived).update(sent_at=timezone.now())
    return len(arrived), events[-1].pk


def forget_sent():
    """Delete what was handed on long ago; returns the number of events."""
    return Event.objects.filter(sent_at__lt=timezone.now() - KEPT).delete()[0]


def envelope(event):
    """An event as it travels; `docs/events/envelope.json`."""
    return {
        "event": str(event.event),
        "type": event.type,
        "version": event.version,
        "at": event.at.isoformat(),
        "traceparent": event.traceparent,
        "subject": event.subject,
        "data": event.data,
    }


def hand_over(envelopes):
    """Call the consumers of this process (`settings.OUTBOX_CONSUMERS`); what one of them fails at has not arrived."""
    consumers = [import_string(path) for path in settings.OUTBOX_CONSUMERS]
    return [told["event"] for told in envelopes if _taken(told, consumers)]


def _taken(told, consumers):
    try:
        with transaction.atomic():
            for consume in consumers:
                consume(told)
    except Exception:
        # It waits, and what its subject has behind it, for the next sweep; the others go on.
        logger.exception("event not consumed", extra={"event": told["event"], "type": told["type"]})
        return False
    return True


def _sweep(hand_on, subject):
    """Once over all that waits: what cannot be handed on keeps nobody else from being."""
    handed, last = relay_once(hand_on, subject=subject)
    while last is not None:
        more, last = relay_once(hand_on, subject=subject, after=last)
        handed += more
    return handed
