"""The one door to the reviews for everybody outside this app, wherever the reviews live.

`reviews()` gives an object with the methods of `Reviews`. Each call asks anew whether the reviews are here
(`LocalReviews`) or in the service (`RemoteReviews`), because they move while Orchard runs.
"""

import time
from functools import lru_cache
from typing import Protocol

from django.conf import settings

from monolith.reviews.errors import ReviewsRefused
from monolith.reviews.local import LocalReviews
from monolith.reviews.placement import reviews_moved
from monolith.reviews.remote import RemoteReviews
from monolith.reviews.values import Rating, ReviewCard, ReviewPage

PATIENCE = 5.0
"""Seconds a write follows the reviews from one place to the other before it gives up."""


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


class MovingReviews:
    """The `Reviews` of whoever has them at the moment of each call."""

    def __init__(self, local, remote, moved, patience=PATIENCE):
        self._local = local
        self._remote = remote
        self._moved = moved
        self._patience = patience

    def page(self, **query):
        return self._owner().page(**query)

    def get(self, review_id):
        return self._owner().get(review_id)

    def ratings(self, **query):
        return self._owner().ratings(**query)

    def ratings_changed_since(self, moment):
        return self._owner().ratings_changed_since(moment)

    def write(self, **review):
        return self._following(lambda owner: owner.write(**review))

    def vote(self, **vote):
        return self._following(lambda owner: owner.vote(**vote))

    def set_status(self, **change):
        return self._following(lambda owner: owner.set_status(**change))

    def forget(self, **whose):
        return self._following(lambda owner: owner.forget(**whose))

    def _owner(self):
        return self._remote if self._moved() else self._local

    def _following(self, act):
        """A refusal wrote nothing, so the write may be sent to whoever owns the reviews by then."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return act(self._owner())
            except ReviewsRefused as refusal:
                if time.monotonic() + refusal.retry_after > deadline:
                    raise
                time.sleep(refusal.retry_after)


@lru_cache
def reviews() -> Reviews:
    # Asked once: a query for each page would be slow.
    return RemoteReviews(settings.REVIEWS_URL) if reviews_moved() else LocalReviews()
