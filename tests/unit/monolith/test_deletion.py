"""What becomes of reviews when their product or person goes."""

import pytest

from monolith.catalog.models import Product
from monolith.orders.models import Order
from monolith.reviews import services
from monolith.reviews.models import Forgetting, Review, Vote


def elsewhere(service):
    return service == "reviews"


@pytest.fixture
def review(ada, ben, product):
    review, _ = services.review_create(author=ada, product_id=product.pk, rating=5, title="Good")
    services.vote_cast(voter=ben, review_id=review.pk, helpful=True)
    return review


@pytest.fixture
def moved(settings, review):
    settings.REVIEWS_MOVED = f"{__name__}.elsewhere"


def test_product_takes_its_reviews_along_while_they_are_here(review, product):
    product.delete()
    assert not Review.objects.exists()
    assert not Vote.objects.exists()


def test_person_takes_reviews_and_votes_along_but_not_orders(review, ada, ben):
    Order.objects.create(customer=ada, total=5, address="1 Mill Lane")
    ben.delete()
    assert not Vote.objects.exists()
    ada.delete()
    assert not Review.objects.exists()
    assert Order.objects.get().customer is None


def test_moved_reviews_are_left_alone_and_a_note_is_kept(moved, review, product):
    key = product.pk
    product.delete()
    assert Review.objects.filter(product_id=key).exists()
    assert [(note.kind, note.key) for note in Forgetting.objects.all()] == [("product", key)]


def test_deletion_that_is_rolled_back_leaves_no_note(moved, product):
    from django.db import transaction

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        product.delete()
        raise ZeroDivisionError
    assert Product.objects.exists()
    assert not Forgetting.objects.exists()


def test_looking_at_the_admins_confirmation_deletes_and_notes_nothing(moved, as_user, staff, product):
    page = as_user(staff).get(f"/admin/catalog/product/{product.pk}/delete/")
    assert page.status_code == 200
    assert Review.objects.exists()
    assert not Forgetting.objects.exists()


def test_whoever_owns_the_reviews_by_then_forgets_them(
    moved, settings, product, tasks_at_once, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=False) as after_commit:
        product.delete()
    settings.REVIEWS_MOVED = "monolith.reviews.flags.never"
    for enqueue in after_commit:
        enqueue()
    assert not Review.objects.exists()
    assert not Forgetting.objects.exists()
