"""Where the notifications live: asked anew each time, because it changes while Orchard runs."""

from django.conf import settings
from django.utils.module_loading import import_string


def notifications_moved():
    """Whether the notifications live in another service now (`settings.NOTIFICATIONS_MOVED`)."""
    return bool(import_string(settings.NOTIFICATIONS_MOVED)("notifications"))


def identity_token(user, audience):
    """The token that tells `audience` who `user` is, or None (`settings.NOTIFICATIONS_IDENTITY`)."""
    return import_string(settings.NOTIFICATIONS_IDENTITY)(user, audience)
