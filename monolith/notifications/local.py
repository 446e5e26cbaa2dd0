"""The notifications in Orchard's own database, seen through the gateway."""

from monolith.notifications import selectors, services
from monolith.notifications.values import NotificationCard

NEWEST = 20


class LocalNotifications:
    def unread(self, *, user):
        return tuple(_card(one) for one in selectors.notifications_of(user, unread=True)[:NEWEST])

    def mark_read(self, *, user, notification):
        services.notification_read(user=user, notification_id=notification)

    def mail_wanted(self, *, user):
        return selectors.mail_wanted_by(user.pk)

    def want_mail(self, *, user, mail):
        services.preference_set(user=user, mail=mail)


def _card(notification):
    return NotificationCard(
        id=notification.pk,
        subject=notification.subject,
        body=notification.body,
        read=notification.read,
        created_at=notification.created_at,
    )
