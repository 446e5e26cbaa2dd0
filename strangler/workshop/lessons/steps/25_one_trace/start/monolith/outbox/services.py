from functools import partial

from django.conf import settings
from django.db import transaction

from monolith.outbox.models import Event
from monolith.outbox.relay import hand_over, relay_all


def emit(*, type, version, subject, data):
    """Say in the caller's transaction that something happened: it is told if that commits, and else never was.

    `data` is what `docs/events/<type>.v<version>.json` says. Without a topic the consumers in this process are called
    as soon as the transaction has committed, before the request is answered; what fails then is left to the relay.
    """
    event = Event.objects.create(type=type, version=version, subject=subject, data=data)
    if not settings.OUTBOX_TOPIC:
        transaction.on_commit(partial(relay_all, hand_over, subject=subject), robust=True)
    return event
