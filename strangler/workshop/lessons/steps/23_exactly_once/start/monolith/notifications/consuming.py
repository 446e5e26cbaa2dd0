"""Takes events into account, each once, however often and in whatever order they come."""

import logging

from django.contrib.auth import get_user_model
from django.db import transaction

from monolith import tracing
from monolith.notifications.errors import NotHere
from monolith.notifications.events import read_event
from monolith.notifications.models import Mail, Notification
from monolith.notifications.placement import notifications_moved
from monolith.notifications.rendering import rendered
from monolith.notifications.selectors import mail_wanted_by
from monolith.notifications.sending import send_now
from monolith.notifications.services import forget

GONE = "account.deleted"

logger = logging.getLogger(__name__)


def consume(told):
    """Tell the person whom an event is about, on the site and by mail, or forget somebody gone.

    Raises NotHere where the notifications live elsewhere, and what
    `read_event` raises; then nothing was written. Events of types that are not known here are none of ours.
    """
    event = read_event(told)
    if event is None:
        return
    if notifications_moved():
        raise NotHere(f'event "{event.event}" is for the service that has the notifications')
    with tracing.continuing(event.traceparent):
        _take(event)


def _take(event):
    if event.type == GONE:
        forget(user_id=event.user)
    else:
        _tell(event)


def _tell(event):
    user = get_user_model().objects.filter(pk=event.user).first()
    if user is None:
        logger.info("nobody to tell", extra={"event": str(event.event), "user": event.user})
        return
    text = rendered(event, name=user.public_name)
    Notification.objects.create(user=user, subject=text.subject, body=text.body, created_at=event.at)
    if not user.email or not mail_wanted_by(user.pk):
        return
    mail = Mail.objects.create(user_id=user.pk, recipient=user.email, subject=text.subject, body=text.body)
    if text.urgent:
        transaction.on_commit(lambda: send_now(mail.pk), robust=True)
