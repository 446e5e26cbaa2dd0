"""Where the reviews live: asked anew each time, because it changes while Orchard runs."""

from django.conf import settings
from django.utils.module_loading import import_string


def reviews_moved():
    """Whether the reviews live in another service now (`settings.REVIEWS_MOVED`)."""
    return bool(import_string(settings.REVIEWS_MOVED)("reviews"))


def identity_token(user, audience):
    """The token that tells `audience` who `user` is, or None (`settings.REVIEWS_IDENTITY`)."""
    return import_string(settings.REVIEWS_IDENTITY)(user, audience)
