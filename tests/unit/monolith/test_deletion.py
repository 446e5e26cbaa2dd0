"""What becomes of reviews and notifications when their product or person goes."""

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction

from monolith.catalog.models import Product
from monolith.notifications.models import Notification
from monolith.orders.models import Order
from monolith.outbox.models import Event
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


def said_to_be_gone():
    return list(Event.objects.filter(type="account.deleted").values_list("subject", "data"))


def test_account_that_goes_is_said_to_be_gone_in_the_same_transaction(ada, ben):
    keys = [ada.pk, ben.pk]
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        ada.delete()
        raise ZeroDivisionError
    assert said_to_be_gone() == []
    get_user_model().objects.filter(pk__in=keys).delete()
    assert sorted(said_to_be_gone()) == [(f"user:{key}", {"user_id": key}) for key in keys]


def test_looking_at_the_admins_confirmation_says_of_nobody_that_they_are_gone(as_user, staff, ada):
    assert as_user(staff).get(f"/admin/accounts/user/{ada.pk}/delete/").status_code == 200
    assert said_to_be_gone() == []


@pytest.mark.parametrize(("moved", "left"), [("monolith.reviews.flags.never", 0), (f"{__name__}.told_elsewhere", 1)])
def test_notifications_go_with_their_person_while_they_are_here(settings, ada, moved, left):
    settings.NOTIFICATIONS_MOVED = moved
    Notification.objects.create(user=ada, subject="Hello", body="")
    ada.delete()
    assert (Notification.objects.count(), len(said_to_be_gone())) == (left, 1)


def told_elsewhere(service):
    return service == "notifications"
