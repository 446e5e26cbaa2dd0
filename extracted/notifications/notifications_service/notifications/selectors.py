"""Reads. Everybody sees their own."""

from notifications_service.notifications.models import Notification, Preference


def notification_list(*, user, unread=False):
    """What the person was told, newest first."""
    own = Notification.objects.filter(user_id=user.pk)
    return own.filter(read=False) if unread else own


def wants_mail(*, user_id):
    """Whether the person wants mails: who has said nothing does."""
    return not Preference.objects.filter(pk=user_id, mail=False).exists()
