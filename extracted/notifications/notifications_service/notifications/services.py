"""Writes that people ask for; a request is one transaction."""

from django.db import transaction

from notifications_service.notifications.errors import Forbidden, NotFound
from notifications_service.notifications.models import Mail, Notification, Preference


@transaction.atomic
def notification_read(*, user, notification_id):
    """Mark one's own notification as read; again is harmless."""
    notification = Notification.objects.filter(pk=notification_id, user_id=user.pk).first()
    if notification is None:
        raise NotFound(f"You have no notification {notification_id}.")
    notification.read = True
    notification.save(update_fields=["read"])
    return notification


@transaction.atomic
def preference_set(*, user, mail):
    """Say whether one wants mails."""
    Preference.objects.update_or_create(pk=user.pk, defaults={"mail": mail})


@transaction.atomic
def person_forget(*, actor, user_id):
    """`forget` on behalf of somebody. Staff only."""
    if not actor.is_staff:
        raise Forbidden("Only staff may forget a person.")
    forget(user_id=user_id)


@transaction.atomic
def forget(*, user_id):
    """Delete all that is kept of a person, unsent mails too; again is harmless."""
    for model in (Notification, Mail, Preference):
        model.objects.filter(user_id=user_id).delete()
