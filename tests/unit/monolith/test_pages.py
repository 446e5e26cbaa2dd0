"""Every page answers, and says what its visitor needs to read."""

import re
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client

from monolith.media.services import blob_store
from monolith.reviews import services
from monolith.reviews.models import Review
from monolith.seed.pictures import picture


def moved(service):
    return service == "reviews"


@pytest.fixture
def review(ada, product):
    return services.review_create(author=ada, product_id=product.pk, rating=4, title="Sturdy", body="It holds")[0]


@pytest.fixture
def no_service(settings):
    settings.REVIEWS_MOVED = f"{__name__}.moved"
    settings.REVIEWS_URL = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/", "New in the shop"),
        ("/products/", "Oak Stool"),
        ("/products/?category=things", "Oak Stool"),
        ("/products/oak-stool/", "Sturdy"),
        ("/search/?q=stool", "1 product"),
        ("/search/?q=nothing%20like%20it", "Nothing found"),
        ("/search/", "what you are looking for"),
        ("/cart/", "nothing in it yet"),
        ("/login/", "No account yet?"),
        ("/register/", "You have an account?"),
        ("/api/docs/", "/api/reviews/{id}/votes/"),
        ("/api/products/", "oak-stool"),
        ("/api/search/?q=solid", "oak-stool"),
        ("/health/", "ok"),
        ("/health/ready/", "ok"),
    ],
)
def test_page_for_anybody(client, review, path, says):
    answer = client.get(path)
    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert client.head(path).status_code == 200


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/staff/reports/reviewers/", "ada"),
        ("/staff/monitoring/", "The last hour"),
        ("/admin/reviews/review/", "Sturdy"),
        ("/admin/catalog/product/", "Oak Stool"),
        ("/admin/notifications/mail/", "0 mails"),
        ("/admin/outbox/event/", "0 events"),
    ],
)
def test_page_for_staff_alone(client, as_user, ada, staff, review, path, says):
    assert client.get(path).status_code == 302
    assert as_user(ada).get(path).status_code == 302
    answer = as_user(staff).get(path)
    assert answer.status_code == 200
    assert says in answer.content.decode()


def test_admin_shows_a_products_reviews(as_user, staff, review, product):
    assert "Sturdy" in as_user(staff).get(f"/admin/catalog/product/{product.pk}/change/").content.decode()


def test_profile_shows_what_is_mine(as_user, ada, review):
    assert "Sturdy" in as_user(ada).get("/profile/").content.decode()


@pytest.mark.parametrize(
    "path", ["/no/such/page", "/products/no-such-thing/", "/products/?category=no", "/media/9/160/"]
)
def test_unknown_address_says_so(client, db, path):
    assert client.get(path).status_code == 404


def test_pages_need_nothing_from_elsewhere(client, review):
    for path in ("/", "/products/oak-stool/", "/api/docs/", "/static/orchard.css"):
        answer = client.get(path)
        content = b"".join(answer) if answer.streaming else answer.content
        assert not re.search(rb"""(src|href)="(https?:)?//|url\(|@import""", content)


def test_registering_logs_in_and_sends_the_welcome_mail_before_the_page_answers(
    client, db, mailoutbox, django_capture_on_commit_callbacks
):
    form = {
        "username": "cleo",
        "email": "cleo@orchard.example",
        "password1": "long-enough-7",
        "password2": "long-enough-7",
    }
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post("/register/", form, follow=True)
    assert "Hello, cleo" in answer.content.decode()
    assert [mail.to for mail in mailoutbox] == [["cleo@orchard.example"]]


def test_review_form_is_published_once_however_often_it_is_sent(as_user, ada, product):
    client = as_user(ada)
    form = {"reference": str(uuid4()), "rating": "5", "title": "Sturdy", "body": ""}
    for _ in range(2):
        answer = client.post(f"/products/{product.slug}/review/", form, follow=True)
        assert "your review is published" in answer.content.decode()
    assert Review.objects.count() == 1


def test_review_form_tells_what_is_wrong(as_user, ada, product, review):
    client, url = as_user(ada), f"/products/{product.slug}/review/"
    form = {"reference": str(uuid4()), "rating": "5", "title": "Once more"}
    assert client.post(url, form | {"title": ""}).status_code == 400
    second = client.post(url, form)
    assert second.status_code == 409
    assert "You have reviewed this product already." in second.content.decode()


def test_vote_button_counts(as_user, ben, product, review):
    url = f"/products/{product.slug}/reviews/{review.pk}/vote/"
    answer = as_user(ben).post(url, {"helpful": "yes"}, follow=True)
    assert "1 of 1 found this helpful." in answer.content.decode()


def test_product_page_goes_on_without_reviews_when_their_service_is_down(client, product, no_service):
    answer = client.get(f"/products/{product.slug}/")
    assert answer.status_code == 200
    assert "The reviews are away" in answer.content.decode()


def test_form_keeps_its_text_and_reference_when_the_service_is_down(as_user, ada, product, no_service):
    reference = str(uuid4())
    form = {"reference": reference, "rating": "5", "title": "A title to keep"}
    answer = as_user(ada).post(f"/products/{product.slug}/review/", form)
    assert answer.status_code == 503
    assert reference in answer.content.decode()
    assert "A title to keep" in answer.content.decode()


def test_behind_the_proxy_links_and_csrf_follow_the_clients_host_and_scheme(ada, product, settings):
    settings.ALLOWED_HOSTS = ["shop.example"]
    behind = {"HTTP_HOST": "shop.example:8443", "HTTP_X_FORWARDED_PROTO": "https"}
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    body = client.get(f"/api/products/{product.pk}/", **behind).json()
    assert body["url"] == f"https://shop.example:8443/products/{product.slug}/"
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', client.get("/profile/", **behind).content.decode())[1]
    form = {"csrfmiddlewaretoken": token, "display_name": "Ada", "email": "ada@orchard.example"}
    good = client.post("/profile/", form, HTTP_ORIGIN="https://shop.example:8443", **behind)
    assert (good.status_code, good.url) == (302, "/profile/")
    assert client.post("/profile/", form, HTTP_ORIGIN="https://evil.example", **behind).status_code == 403


def test_picture_is_scaled_once_and_kept(client, db):
    blob = blob_store(name="bowl.png", content_type="image/png", data=picture("Kitchen", 0))
    first = client.get(f"/media/{blob.pk}/160/")
    assert first.headers["Content-Type"] == "image/jpeg"
    assert client.get(f"/media/{blob.pk}/160/").content == first.content
    assert blob.thumbnails.count() == 1
    assert client.get(f"/media/{blob.pk}/").content == picture("Kitchen", 0)
    assert client.get(f"/media/{blob.pk}/161/").status_code == 404


def test_schema_is_valid_without_a_warning(db, tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))
    assert "/api/reviews/{id}/votes/" in (tmp_path / "schema.yml").read_text()
    assert "/api/notifications/{id}/read/" in (tmp_path / "schema.yml").read_text()
