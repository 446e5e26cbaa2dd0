"""What happens to reviews in the background. Every task may run twice, and goes through the gateway."""

from datetime import UTC, datetime, timedelta

from celery import shared_task
from django.utils import timezone

from monolith.accounts.services import shop_user
from monolith.catalog.models import Product
from monolith.catalog.services import product_rating_update
from monolith.reviews import gateway
from monolith.reviews.errors import ReviewNotFound, ReviewsUnavailable
from monolith.reviews.models import Cursor, Forgetting
from monolith.reviews.moderation import is_unwanted
from monolith.tasks import RetryingTask

OVERLAP = timedelta(minutes=2)
"""How far a periodic task looks back behind its cursor: a transaction may commit later than its timestamps say."""
PRODUCTS_AT_ONCE = 100


class ReviewsTask(RetryingTask):
    transient = (*RetryingTask.transient, ReviewsUnavailable)


@shared_task(name="reviews.moderate_review", base=ReviewsTask)
def moderate_review(review_id):
    try:
        _moderate(gateway.reviews().get(review_id))
    except ReviewNotFound:
        return  # deleted in the meantime


@shared_task(name="reviews.forget", base=ReviewsTask)
def forget(note_id):
    """Drop what is left of a deleted product or person, then the note that says so."""
    note = Forgetting.objects.filter(pk=note_id).first()
    if note is not None:
        gateway.reviews().forget(actor=shop_user(), **{note.kind: note.key})
        note.delete()


@shared_task(name="reviews.refresh_ratings", base=ReviewsTask)
def refresh_ratings():
    """Copy the ratings that changed since the last run onto their products; returns their number."""
    started = timezone.now()
    since = _cursor("refresh_ratings").position - OVERLAP
    changed = gateway.reviews().ratings_changed_since(since)
    _copy(changed)
    Cursor.objects.filter(name="refresh_ratings").update(position=started)
    return len(changed)


@shared_task(name="reviews.reconcile_ratings", base=ReviewsTask)
def reconcile_ratings():
    """Compare every product's rating with its reviews: a deleted review leaves nothing that says it changed."""
    products = Product.objects.order_by("pk")
    last = 0
    while chunk := list(products.filter(pk__gt=last).values_list("pk", flat=True)[:PRODUCTS_AT_ONCE]):
        _copy(gateway.reviews().ratings(products=chunk))
        last = chunk[-1]


@shared_task(name="reviews.sweep", base=ReviewsTask)
def sweep():
    """Do what was never enqueued: forget the gone, moderate the reviews written since the last sweep."""
    for note in Forgetting.objects.order_by("pk"):
        forget(note.pk)
    started = timezone.now()
    since = _cursor("sweep").position - OVERLAP
    # All pages are read first: flagging takes a review out of the list and would shift the pages under the reader.
    for review in list(_written_since(since)):
        _moderate(review)
    Cursor.objects.filter(name="sweep").update(position=started)


def _copy(ratings):
    for rating in ratings:
        product_rating_update(product_id=rating.product, average=rating.average, count=rating.count)


def _moderate(review):
    if review.status == "published" and is_unwanted(review.title, review.body):
        gateway.reviews().set_status(actor=shop_user(), review=review.id, status="flagged")


def _written_since(moment):
    number = 1
    while True:
        page = gateway.reviews().page(number=number)
        for review in page.results:
            if review.created_at < moment:
                return
            yield review
        if not page.has_next:
            return
        number += 1


def _cursor(name):
    beginning = datetime(2000, 1, 1, tzinfo=UTC)
    return Cursor.objects.get_or_create(name=name, defaults={"position": beginning})[0]
