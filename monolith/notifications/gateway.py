"""The one door to the notifications for everybody outside this app, wherever they live.

`notifications()` gives an object with the methods of `Notifications`. Each call asks anew whether they are here
(`LocalNotifications`) or in the service (`RemoteNotifications`), because they move while Orchard runs. What they are
made of comes by events, which go to whoever has them.
"""

import time
from functools import lru_cache
from typing import Protocol

from django.conf import settings

from monolith.notifications.errors import NotificationsRefused
from monolith.notifications.local import LocalNotifications
from monolith.notifications.placement import notifications_moved
from monolith.notifications.remote import RemoteNotifications
from monolith.notifications.values import NotificationCard

PATIENCE = 5.0
"""Seconds a write follows the notifications from one place to the other before it gives up."""


class Notifications(Protocol):
    """What the shop can ask of its notifications, on behalf of the `user` whose they are.

    All methods raise `NotificationsUnavailable` where they are away. All may be called again.
    """

    def unread(self, *, user) -> tuple[NotificationCard, ...]:
        """The newest that have not been read, twenty at most."""

    def mark_read(self, *, user, notification) -> None:
        """Raises NotificationNotFound for somebody else's."""

    def mail_wanted(self, *, user) -> bool: ...

    def want_mail(self, *, user, mail) -> None: ...


class MovingNotifications:
    """The `Notifications` of whoever has them at the moment of each call."""

    def __init__(self, local, remote, moved, patience=PATIENCE):
        self._local = local
        self._remote = remote
        self._moved = moved
        self._patience = patience

    def unread(self, **query):
        return self._owner().unread(**query)

    def mail_wanted(self, **query):
        return self._owner().mail_wanted(**query)

    def mark_read(self, **change):
        return self._following(lambda owner: owner.mark_read(**change))

    def want_mail(self, **change):
        return self._following(lambda owner: owner.want_mail(**change))

    def _owner(self):
        return self._remote if self._moved() else self._local

    def _following(self, act):
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return act(self._owner())
            except NotificationsRefused as refusal:
                if time.monotonic() + refusal.retry_after > deadline:
                    raise
                time.sleep(refusal.retry_after)


def notifications() -> Notifications:
    return MovingNotifications(LocalNotifications(), _service(settings.NOTIFICATIONS_URL), notifications_moved)


@lru_cache
def _service(url):
    # One client a process, so that its connections are kept.
    return RemoteNotifications(url)
