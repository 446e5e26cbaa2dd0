"""Writes. Each takes the caller from the token; a request is one transaction."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from reviews_service.reviews.errors import Conflict, Forbidden, NotFound
from reviews_service.reviews.models import Product, Review, Vote
from reviews_service.reviews.selectors import review_get


@transaction.atomic
def review_create(*, author, product_id, rating, title, body="", reference=None):
    """`(review, created)`. The same reference again by its author gives the first review and changes nothing."""
    if reference and (known := _by_reference(author, reference)):
        return known, False
    if not Product.objects.filter(pk=product_id).exists():
        raise NotFound(f"There is no product {product_id}.")
    review = Review(author_id=author.pk, product_id=product_id, rating=rating, title=title, body=body)
    if reference:
        review.reference = reference
    try:
        with transaction.atomic():
            review.save(force_insert=True)
    except IntegrityError:
        # Two requests with one reference may have passed the look-up above together; the second one ends here.
        if reference and (known := _by_reference(author, reference)):
            return known, False
        raise Conflict("You have reviewed this product already.") from None
    return review_get(review.pk), True


@transaction.atomic
def review_update(*, actor, review_id, **changes):
    """Change rating, title or body; staff may change the status too."""
    review = _for_change(actor, review_id)
    if "status" in changes and not actor.is_staff:
        raise Forbidden("Only staff may change a review's status.")
    for name, value in changes.items():
        setattr(review, name, value)
    review.updated_at = timezone.now()
    review.save(update_fields=[*changes, "updated_at"])
    return review_get(review_id)


@transaction.atomic
def review_delete(*, actor, review_id):
    _for_change(actor, review_id).delete()


@transaction.atomic
def reviews_forget(*, actor, product=None, author=None):
    """Delete all reviews of a product, or all reviews and votes of a person. Staff only; again is harmless."""
    if not actor.is_staff:
        raise Forbidden("Only staff may delete reviews in bulk.")
    if product is not None:
        Review.objects.filter(product_id=product).delete()
    if author is not None:
        Review.objects.filter(author_id=author).delete()
        Vote.objects.filter(voter_id=author).delete()


@transaction.atomic
def vote_cast(*, voter, review_id, helpful, reference=None):
    """`(review, created)`. One vote a person: voting again changes it."""
    if not Review.objects.filter(pk=review_id).exists():
        raise NotFound(f"There is no review {review_id}.")
    if reference and Vote.objects.filter(reference=reference).exclude(review=review_id, voter_id=voter.pk).exists():
        raise Conflict("This reference belongs to another vote.")
    defaults = {"helpful": helpful}
    first = defaults | ({"reference": reference} if reference else {})
    _, created = Vote.objects.update_or_create(
        review_id=review_id, voter_id=voter.pk, defaults=defaults, create_defaults=first
    )
    return review_get(review_id), created


def _by_reference(author, reference):
    known = Review.objects.filter(reference=reference).first()
    if known is None:
        return None
    if known.author_id != author.pk:
        raise Conflict("This reference belongs to another review.")
    return review_get(known.pk)


def _for_change(actor, review_id):
    review = Review.objects.select_for_update().filter(pk=review_id).first()
    if review is None:
        raise NotFound(f"There is no review {review_id}.")
    if review.author_id != actor.pk and not actor.is_staff:
        raise Forbidden("Only its author or staff may change a review.")
    return review
