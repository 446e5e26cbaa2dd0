import threading
import uuid

import pytest
from django.db import connection
from rest_framework.test import APIClient
from reviews_service.reviews.models import Person, Product, Review, Vote

REVIEW = {"product": 1, "rating": 5, "title": "Crisp", "body": "And sweet."}


@pytest.mark.django_db
class TestReviews:
    def test_a_review_is_written_and_shown_with_its_names(self, shop, caller):
        answer = caller(7).post("/api/reviews/", REVIEW)
        assert answer.status_code == 201
        assert (
            answer.json() | {"product_name": "product 1", "author": {"id": 7, "username": "person 7"}} == answer.json()
        )
        assert APIClient().get("/api/products/1/reviews/").json()["results"] == [answer.json()]

    def test_the_same_reference_again_gives_the_first_review(self, shop, caller):
        reference = str(uuid.uuid4())
        first = caller(7).post("/api/reviews/", {**REVIEW, "reference": reference})
        again = caller(7).post("/api/reviews/", {**REVIEW, "reference": reference, "title": "Other"})
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json()
        assert caller(8).post("/api/reviews/", {**REVIEW, "reference": reference}).status_code == 409

    def test_one_review_a_person_and_product(self, shop, caller):
        caller(7).post("/api/reviews/", REVIEW)
        assert caller(7).post("/api/reviews/", REVIEW).status_code == 409

    def test_an_unknown_product_and_bad_values_are_refused(self, shop, caller):
        assert caller().post("/api/reviews/", {**REVIEW, "product": 99}).status_code == 404
        assert caller().post("/api/reviews/", {**REVIEW, "rating": 6}).status_code == 400

    def test_a_review_is_shown_while_the_copies_of_its_names_are_late(self, shop, caller):
        caller(7).post("/api/reviews/", REVIEW)
        Product.objects.all().delete()
        Person.objects.all().delete()
        shown = APIClient().get("/api/reviews/").json()["results"][0]
        assert (shown["product_name"], shown["author"]) == ("", {"id": 7, "username": ""})

    def test_its_author_and_staff_change_a_review_and_nobody_else(self, shop, caller):
        path = f"/api/reviews/{caller(7).post('/api/reviews/', REVIEW).json()['id']}/"
        assert caller(7).patch(path, {"title": "Soft"}).json()["title"] == "Soft"
        assert caller(8).patch(path, {"title": "Mine"}).status_code == 403
        assert caller(7).patch(path, {"status": "flagged"}).status_code == 403
        assert caller(8, staff=True).patch(path, {"status": "flagged"}).json()["status"] == "flagged"
        assert APIClient().get("/api/reviews/").json()["count"] == 0
        assert caller(8).delete(path).status_code == 403
        assert caller(7).delete(path).status_code == 204
        assert APIClient().get(path).status_code == 404

    def test_a_vote_is_cast_and_changed(self, shop, caller):
        path = f"/api/reviews/{caller(7).post('/api/reviews/', REVIEW).json()['id']}/votes/"
        assert caller(8).post(path, {"helpful": True}).status_code == 201
        changed = caller(8).post(path, {"helpful": False})
        assert (changed.status_code, changed.json()["votes"], changed.json()["helpful_votes"]) == (200, 1, 0)

    def test_staff_forget_a_product_or_a_person(self, shop, caller):
        caller(7).post("/api/reviews/", REVIEW)
        caller(7).post("/api/reviews/", {**REVIEW, "product": 2})
        assert caller(7).delete("/api/reviews/?product=1").status_code == 403
        assert caller(8, staff=True).delete("/api/reviews/").status_code == 400
        assert caller(8, staff=True).delete("/api/reviews/?product=1").status_code == 204
        assert Review.objects.count() == 1
        assert caller(8, staff=True).delete("/api/reviews/?author=7").status_code == 204
        assert not Review.objects.exists()

    def test_ratings_are_averages_of_what_is_published(self, shop, caller):
        caller(7).post("/api/reviews/", REVIEW)
        caller(8).post("/api/reviews/", {**REVIEW, "rating": 2})
        answer = APIClient().get("/api/reviews/ratings/?product=1&product=2").json()
        assert answer == [{"product": 1, "average": 3.5, "count": 2}, {"product": 2, "average": 0.0, "count": 0}]
        assert APIClient().get("/api/reviews/ratings/?changed_since=2020-01-01T00:00:00Z").json() == answer[:1]
        assert APIClient().get("/api/reviews/ratings/").status_code == 400

    def test_pages_hold_twenty(self, shop, caller):
        Review.objects.bulk_create(Review(product_id=n, author_id=1, rating=3, title="x") for n in range(10, 35))
        page = APIClient().get("/api/reviews/?ordering=rating").json()
        assert (page["count"], len(page["results"]), page["previous"]) == (25, 20, None)
        assert APIClient().get("/api/reviews/?ordering=body").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_the_same_review_sent_many_times_at_once_is_one(shop, caller):
    reference = str(uuid.uuid4())
    statuses = []

    def send():
        statuses.append(caller(7).post("/api/reviews/", {**REVIEW, "reference": reference}).status_code)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 5 + [201]
    assert (Review.objects.count(), Vote.objects.count()) == (1, 0)
