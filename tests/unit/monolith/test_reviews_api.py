from uuid import uuid4

import pytest
from django.test import Client

from monolith.reviews import services
from monolith.reviews.models import Review

JSON = "application/json"


@pytest.fixture
def review(ada, product):
    return services.review_create(author=ada, product_id=product.pk, rating=4, title="Good", body="Solid")[0]


def post_review(client, reviewed, **changes):
    return client.post("/api/reviews/", {"product": reviewed.pk, "rating": 5, "title": "Good"} | changes, JSON)


def test_review_has_the_fields_of_the_contract(client, review, product, ada):
    body = client.get(f"/api/reviews/{review.pk}/").json()
    assert set(body) == {
        "id", "reference", "product", "product_name", "author", "rating", "title", "body", "status",
        "helpful_votes", "votes", "created_at", "updated_at",
    }  # fmt: skip
    assert body["author"] == {"id": ada.pk, "username": "ada"}
    assert (body["product"], body["product_name"]) == (product.pk, "Oak Stool")


def test_writing_needs_a_login(client, product):
    assert post_review(client, product).status_code == 403
    assert not Review.objects.exists()


def test_writing_by_session_needs_the_csrf_token(ada, product):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    assert post_review(client, product).status_code == 403


def test_sending_a_review_twice_creates_it_once(as_user, ada, product):
    client, reference = as_user(ada), str(uuid4())
    first = post_review(client, product, reference=reference)
    again = post_review(client, product, reference=reference)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()


def test_second_review_of_a_product_answers_409(as_user, ada, product):
    client = as_user(ada)
    post_review(client, product)
    assert post_review(client, product).status_code == 409


@pytest.mark.parametrize(
    "wrong", [{"rating": 6}, {"rating": 0}, {"title": ""}, {"title": "x" * 201}, {"reference": "no"}]
)
def test_bad_values_answer_400(as_user, ada, product, wrong):
    assert post_review(as_user(ada), product, **wrong).status_code == 400


def test_unknown_product_answers_404(as_user, ada, product):
    assert post_review(as_user(ada), product, product=999).status_code == 404
    assert as_user(ada).get("/api/products/999/reviews/").status_code == 404


def test_others_may_not_change_or_delete_a_review(as_user, ben, review):
    client = as_user(ben)
    assert client.patch(f"/api/reviews/{review.pk}/", {"title": "Mine"}, JSON).status_code == 403
    assert client.delete(f"/api/reviews/{review.pk}/").status_code == 403


def test_author_changes_and_deletes_a_review(as_user, ada, review):
    client = as_user(ada)
    assert client.patch(f"/api/reviews/{review.pk}/", {"rating": 1}, JSON).json()["rating"] == 1
    assert client.delete(f"/api/reviews/{review.pk}/").status_code == 204
    assert client.get(f"/api/reviews/{review.pk}/").status_code == 404


def test_vote_answers_201_then_200(as_user, ben, review):
    client, url = as_user(ben), f"/api/reviews/{review.pk}/votes/"
    assert client.post(url, {"helpful": True}, JSON).status_code == 201
    changed = client.post(url, {"helpful": False}, JSON)
    assert (changed.status_code, changed.json()["helpful_votes"], changed.json()["votes"]) == (200, 0, 1)


def test_list_is_newest_first_and_filtered(client, ada, ben, review, product, other_product):
    newer, _ = services.review_create(author=ben, product_id=product.pk, rating=2, title="Poor")
    elsewhere, _ = services.review_create(author=ben, product_id=other_product.pk, rating=3, title="Fair")

    def listed(query):
        return [each["id"] for each in client.get(f"/api/reviews/{query}").json()["results"]]

    assert listed("") == [elsewhere.pk, newer.pk, review.pk]
    assert listed(f"?product={product.pk}&ordering=rating") == [newer.pk, review.pk]
    assert listed(f"?author={ada.pk}") == [review.pk]
    assert client.get("/api/reviews/?ordering=password").status_code == 400
    page = client.get(f"/api/products/{product.pk}/reviews/").json()
    assert (page["count"], [each["id"] for each in page["results"]]) == (2, [newer.pk, review.pk])


def test_ratings_of_products_and_of_those_changed(client, review, product, other_product):
    answer = client.get(f"/api/reviews/ratings/?product={product.pk}&product={other_product.pk}")
    assert answer.json() == [
        {"product": product.pk, "average": 4.0, "count": 1},
        {"product": other_product.pk, "average": 0.0, "count": 0},
    ]
    assert client.get("/api/reviews/ratings/", {"changed_since": "2999-01-01T00:00:00Z"}).json() == []
    assert client.get("/api/reviews/ratings/").status_code == 400


def test_only_staff_forgets_and_only_one_thing_at_a_time(as_user, ada, staff, review, product):
    url = f"/api/reviews/?product={product.pk}"
    assert as_user(ada).delete(url).status_code == 403
    assert as_user(staff).delete("/api/reviews/").status_code == 400
    assert as_user(staff).delete(f"{url}&author={ada.pk}").status_code == 400
    assert Review.objects.count() == 1
    assert as_user(staff).delete(url).status_code == 204
    assert as_user(staff).delete(url).status_code == 204
    assert not Review.objects.exists()
