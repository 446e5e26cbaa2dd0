"""Writes to the notifications that live here, besides those of events (`consuming.py`) and mails (`sending.py`)."""

from django.db import transaction

from monolith.notifications.errors import NotificationForbidden, NotificationNotFound
from monolith.notifications.models import Mail, Notification, Preference


def notification_read(*, user, notification_id):
    """Its owner has read it; again is harmless."""
    if not Notification.objects.filter(pk=notification_id, user=user).update(read=True):
        raise NotificationNotFound(f"You have no notification {notification_id}.")
    return Notification.objects.get(pk=notification_id)


def preference_set(*, user, mail):
    """Whether this person gets mails from now on; those that wait are sent all the same."""
    Preference.objects.update_or_create(user_id=user.pk, defaults={"mail": mail})


@transaction.atomic
def person_forget(*, actor, user_id):
    """`forget` on behalf of somebody. Staff only."""
    if not actor.is_staff:
        raise NotificationForbidden("Only staff may forget a person.")
    forget(user_id=user_id)


@transaction.atomic
def forget(*, user_id):
    """Delete all that is kept of a person, unsent mails too; again is harmless."""
    for model in (Notification, Mail, Preference):
        model.objects.filter(user_id=user_id).delete()
