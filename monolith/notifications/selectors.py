"""Reads of the notifications that live here."""

from monolith.notifications.models import Notification, Preference


def notifications_of(user, *, unread=False):
    """A person's notifications, the newest first; with `unread` those alone that have not been read."""
    own = Notification.objects.filter(user=user)
    return own.filter(read=False) if unread else own


def mail_wanted_by(user_id):
    return not Preference.objects.filter(user_id=user_id, mail=False).exists()
