"""A write refused by the database because the reviews are on their way leaves nothing behind and may be sent again."""

from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.db import connection

from monolith.events.models import Event
from monolith.reviews.models import Review

pytestmark = pytest.mark.django_db(transaction=True)

_REFUSE = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'move "0001_reviews" is owned elsewhere (term 3)'
              USING ERRCODE = 'SF001', DETAIL = '{"move": "0001_reviews", "term": 3}';
    END $$;
    CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON reviews_review
           FOR EACH STATEMENT EXECUTE FUNCTION refuse();
"""


@contextmanager
def reviews_fenced():
    with connection.cursor() as cursor:
        cursor.execute(_REFUSE)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse() CASCADE")


def assert_replayable(answer):
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Strangler-Refused"] == "move=0001_reviews; term=3; replay=1"
    assert not Review.objects.exists()
    assert not Event.objects.exists()


def test_refused_review_of_the_api_may_be_replayed(as_user, ada, product):
    client, review = as_user(ada), {"product": product.pk, "rating": 5, "title": "Good"}
    with reviews_fenced():
        assert_replayable(client.post("/api/reviews/", review, "application/json"))
    assert client.post("/api/reviews/", review, "application/json").status_code == 201


def test_refused_review_of_the_form_may_be_replayed(as_user, ada, product):
    client, url = as_user(ada), f"/products/{product.slug}/review/"
    form = {"reference": str(uuid4()), "rating": "5", "title": "Good"}
    with reviews_fenced():
        assert_replayable(client.post(url, form))
    assert client.post(url, form).status_code == 302


def test_product_whose_reviews_are_fenced_is_not_half_deleted(as_user, ada, staff, product):
    as_user(ada).post("/api/reviews/", {"product": product.pk, "rating": 5, "title": "Good"}, "application/json")
    client, url = as_user(staff), f"/admin/catalog/product/{product.pk}/delete/"
    with reviews_fenced():
        assert client.post(url, {"post": "yes"}).status_code == 503
    assert Review.objects.get().product == product
