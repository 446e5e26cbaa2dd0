from datetime import timedelta

import pytest
from django.utils import timezone

from monolith.catalog.models import Product
from monolith.reviews import services, tasks
from monolith.reviews.models import Cursor, Forgetting, Review
from monolith.reviews.moderation import is_unwanted


def write(author, product, **changes):
    return services.review_create(
        **({"author": author, "product_id": product.pk, "rating": 5, "title": "Good"} | changes)
    )[0]


@pytest.mark.parametrize(
    ("text", "unwanted"), [("A solid stool", False), ("Win the JACKPOT", True), ("see https://example.org", True)]
)
def test_advertising_is_unwanted(text, unwanted):
    assert is_unwanted("Good", text) is unwanted


def test_review_is_moderated_after_its_commit(ada, product, tasks_at_once, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        write(ada, product, body="Win the jackpot")
    assert Review.objects.get().status == "flagged"


def test_moderating_a_deleted_review_is_no_error(db):
    assert tasks.moderate_review(999) is None


@pytest.mark.django_db(transaction=True)
def test_review_is_acknowledged_while_the_broker_is_down(as_user, ada, product):
    review = {"product": product.pk, "rating": 5, "title": "Good"}
    assert as_user(ada).post("/api/reviews/", review, "application/json").status_code == 201


def test_sweep_does_what_was_never_enqueued(ada, ben, product, other_product):
    write(ada, product, body="Win the jackpot")
    write(ada, other_product)
    kept = write(ben, other_product)
    Forgetting.objects.create(kind="author", key=ben.pk)
    tasks.sweep()
    tasks.sweep()
    assert not Review.objects.filter(pk=kept.pk).exists()
    assert sorted(Review.objects.values_list("status", flat=True)) == ["flagged", "published"]
    assert not Forgetting.objects.exists()


def test_sweep_reads_only_what_is_new(ada, product):
    write(ada, product, body="Win the jackpot")
    Review.objects.update(created_at=timezone.now() - timedelta(days=1))
    Cursor.objects.create(name="sweep", position=timezone.now())
    tasks.sweep()
    assert Review.objects.get().status == "published"


def test_ratings_are_refreshed_once_and_then_left(ada, product):
    write(ada, product, rating=4)
    Product.objects.update(rating_average=0, rating_count=0)
    tasks.refresh_ratings()
    product.refresh_from_db()
    assert (float(product.rating_average), product.rating_count) == (4.0, 1)
    changed_at = product.rating_changed_at
    tasks.refresh_ratings()
    product.refresh_from_db()
    assert product.rating_changed_at == changed_at


def test_refresh_goes_on_where_it_stopped(ada, product):
    write(ada, product)
    assert tasks.refresh_ratings() == 1
    long_ago = timezone.now() - timedelta(days=1)
    Product.objects.update(rating_changed_at=long_ago)
    Review.objects.update(updated_at=long_ago)
    assert tasks.refresh_ratings() == 0


def test_reconciling_finds_what_nothing_mentions(ada, product, other_product):
    write(ada, product, rating=4)
    Product.objects.update(rating_average=2, rating_count=9)
    tasks.reconcile_ratings()
    product.refresh_from_db()
    other_product.refresh_from_db()
    assert (float(product.rating_average), product.rating_count) == (4.0, 1)
    assert (float(other_product.rating_average), other_product.rating_count) == (0.0, 0)
