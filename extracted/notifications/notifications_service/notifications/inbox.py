"""The shop's events become notifications and mails, or the end of them, each event once."""

import logging

from django.db import transaction

from notifications_service import tracing
from notifications_service.notifications import events, needs, tasks
from notifications_service.notifications.consuming import Later, Poison
from notifications_service.notifications.models import Mail, Notification, Person, Received
from notifications_service.notifications.rendering import render
from notifications_service.notifications.selectors import wants_mail
from notifications_service.notifications.services import forget

GONE = "account.deleted"
"""The one type that nobody is told of: what is kept of that person goes."""

logger = logging.getLogger(__name__)


def handle(body):
    """Deal with one message of the shop's. Raises Poison for what is not understood, Later for what comes too early."""
    try:
        event = events.parse(body)
        if not needs.concerns_us(event):
            logger.info("skipped", extra={"facts": {"event": str(event)}})
            return
        needs.check(event)
    except ValueError as error:
        raise Poison(str(error)) from error
    with tracing.continued(event.traceparent):
        first = receive(event)
        logger.info("received" if first else "received before", extra={"facts": {"event": str(event)}})


@transaction.atomic
def receive(event):
    """Note the event and do what it asks for, all in one transaction; False where it was noted before."""
    _, first = Received.objects.get_or_create(event=event.id)
    if not first:
        return False
    if event.type == GONE:
        forget(user_id=event.data["user_id"])
    else:
        _tell(event)
    return True


def _tell(event):
    user_id = event.data["user_id"]
    person = Person.objects.filter(pk=user_id).first()
    if person is None:
        # The copy of the accounts may be behind; the inbox's row is undone with this.
        raise Later(f"{event} is about user {user_id}, who is not known here")
    text = render(event, name=person.public_name)
    Notification.objects.create(user_id=user_id, subject=text.subject, body=text.body, created_at=event.at)
    if person.email and wants_mail(user_id=user_id):
        mail = Mail.objects.create(user_id=user_id, recipient=person.email, subject=text.subject, body=text.body)
        tasks.send_after_commit(mail.pk)
