"""The one door to the reviews for everybody outside this app, wherever the reviews live.

`reviews()` gives an object with the methods of `Reviews`: they live in a service of their own (`RemoteReviews`).
"""

from functools import lru_cache
from typing import Protocol

from django.conf import settings

from monolith.reviews.remote import RemoteReviews
from monolith.reviews.values import Rating, ReviewCard, ReviewPage


class Reviews(Protocol):
    """What the shop can ask of its reviews.

    `actor` is the user on whose behalf it happens. All methods raise `ReviewsUnavailable` where the reviews are
    away, and the other errors of `errors.py` where they say no.
    """

    def page(self, *, product=None, author=None, ordering="-created_at", number=1) -> ReviewPage:
        """One page, newest first unless told otherwise."""

    def get(self, review_id) -> ReviewCard: ...

    def write(self, *, actor, product, rating, title, body, reference) -> ReviewCard:
        """Write a review; again with the same reference gives the first one."""

    def vote(self, *, actor, review, helpful) -> ReviewCard:
        """Cast or change one's vote."""

    def set_status(self, *, actor, review, status) -> ReviewCard:
        """Publish or flag a review; staff only."""

    def forget(self, *, actor, product=None, author=None) -> None:
        """Drop all reviews of a product, or all of a person's reviews and votes; staff only, repeatable."""

    def ratings(self, *, products) -> list[Rating]: ...

    def ratings_changed_since(self, moment) -> list[Rating]:
        """Ratings of the products whose reviews changed at or after `moment`."""


def reviews() -> Reviews:
    return _service(settings.REVIEWS_URL)


@lru_cache
def _service(url):
    # One client a process, so that its connections are kept.
    return RemoteReviews(url)
