"""Orchard's settings, with the reviews service's code as one more app."""

from monolith import settings as _orchard
from monolith.settings import *  # noqa: F403

INSTALLED_APPS = [*_orchard.INSTALLED_APPS, "orchard_modular.apps.ReviewsModule"]
ROOT_URLCONF = "orchard_modular.urls"
REVIEWS_MOVED = "monolith.reviews.flags.never"
REVIEWS_IDENTITY = "monolith.reviews.flags.no_identity"
# Two models of one table: the module's, and the one of Orchard's pages.
SILENCED_SYSTEM_CHECKS = ["models.E028", "models.E030", "models.E032"]
