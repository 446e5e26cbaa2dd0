"""The gateway: the same answers from near and far, and what it does when the reviews are on their way."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import httpx
import pytest

from monolith.reviews import gateway, services
from monolith.reviews.errors import (
    ReviewConflict,
    ReviewForbidden,
    ReviewInvalid,
    ReviewNotFound,
    ReviewsRefused,
    ReviewsSpared,
    ReviewsUnavailable,
)
from monolith.reviews.gateway import MovingReviews
from monolith.reviews.local import LocalReviews
from monolith.reviews.models import Review
from monolith.reviews.remote import LIMITS, READ_ATTEMPTS, RemoteReviews

REVIEW = {
    "id": 7, "reference": "0b7e5a34-4b43-4f6e-9f0d-3a3c7a3b2f11", "product": 1, "product_name": "Oak Stool",
    "author": {"id": 3, "username": "ada"}, "rating": 5, "title": "Good", "body": "", "status": "published",
    "helpful_votes": 0, "votes": 0, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
}  # fmt: skip


class FakeService(ThreadingHTTPServer):
    """The service's side of the contract: answers are queued by the test, requests are kept."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = []
        self.requests = []
        self.delay = 0.0
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, status, body=None, **headers):
        self.answers.append((status, body, headers))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _respond(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.command, self.path, self.headers, json.loads(body) if body else None))
        time.sleep(self.server.delay)
        status, answer, headers = self.server.answers.pop(0)
        content = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _respond  # noqa: N815

    def log_message(self, template, *values):
        pass


def introduce(user, audience):
    return f"{user.username} to {audience}"


def moved(service):
    return service == "reviews"


@pytest.fixture
def service():
    fake = FakeService()
    yield fake
    fake.shutdown()
    fake.server_close()


@pytest.fixture
def remote(service):
    return RemoteReviews(service.url, timeout=httpx.Timeout(0.3))


def written(**changes):
    return {"product": 1, "rating": 5, "title": "Good", "body": "", "reference": uuid4()} | changes


@pytest.mark.django_db(transaction=True)
def test_both_implementations_read_the_same(live_server, ada, ben, product, other_product):
    review, _ = services.review_create(author=ada, product_id=product.pk, rating=5, title="Good", body="Solid")
    services.review_create(author=ben, product_id=product.pk, rating=2, title="Poor")
    services.vote_cast(voter=ben, review_id=review.pk, helpful=True)
    local, remote = LocalReviews(), RemoteReviews(live_server.url)
    assert local.page(product=product.pk).count == 2
    assert remote.page(product=product.pk) == local.page(product=product.pk)
    assert remote.page(author=ada.pk, ordering="rating") == local.page(author=ada.pk, ordering="rating")
    assert remote.page(product=product.pk, number=9).results == local.page(product=product.pk, number=9).results == ()
    assert remote.get(review.pk) == local.get(review.pk)
    both = [product.pk, other_product.pk]
    assert remote.ratings(products=both) == local.ratings(products=both)
    moment = review.created_at
    assert remote.ratings_changed_since(moment) == local.ratings_changed_since(moment)


def test_write_introduces_the_user_to_the_service(service, remote, ada, settings):
    settings.REVIEWS_IDENTITY = f"{__name__}.introduce"
    service.answer(201, REVIEW)
    review = written()
    assert remote.write(actor=ada, **review).author == "ada"
    [(method, path, headers, body)] = service.requests
    assert (method, path, headers["Strangler-Identity"]) == ("POST", "/api/reviews/", "ada to reviews")
    assert body == review | {"reference": str(review["reference"])}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ReviewInvalid),
        (403, ReviewForbidden),
        (404, ReviewNotFound),
        (409, ReviewConflict),
        (500, ReviewsUnavailable),
    ],
)
def test_refusals_of_the_service_become_errors_of_ours(service, remote, ada, status, error):
    service.answer(status, {"detail": "Because."})
    with pytest.raises(error):
        remote.write(actor=ada, **written())
    assert len(service.requests) == 1


def test_read_is_tried_again_a_bounded_number_of_times(service, remote):
    service.answer(500)
    service.answer(200, REVIEW)
    assert remote.get(7).title == "Good"
    for _ in range(READ_ATTEMPTS):
        service.answer(500)
    with pytest.raises(ReviewsUnavailable):
        remote.get(7)
    assert len(service.requests) == 2 + READ_ATTEMPTS


def test_a_service_that_fails_again_and_again_is_spared_reads_and_writes(service, remote, ada):
    for _ in range(LIMITS.failures):
        service.answer(500)
    for _ in range(2):
        with pytest.raises(ReviewsUnavailable):
            remote.get(7)
    assert len(service.requests) == LIMITS.failures
    with pytest.raises(ReviewsSpared):
        remote.write(actor=ada, **written())
    assert len(service.requests) == LIMITS.failures


def test_a_service_that_says_no_is_alive(service, remote, ada):
    for _ in range(LIMITS.failures):
        service.answer(503, Retry_After="1")
        service.answer(404)
        with pytest.raises(ReviewsRefused):
            remote.write(actor=ada, **written())
        with pytest.raises(ReviewNotFound):
            remote.get(8)
    service.answer(200, REVIEW)
    assert remote.get(7).title == "Good"


def test_write_is_not_repeated_after_a_timeout(service, remote, ada):
    service.delay = 0.6
    service.answer(201, REVIEW)
    with pytest.raises(ReviewsUnavailable):
        remote.write(actor=ada, **written())
    assert len(service.requests) == 1


def test_service_that_is_down_is_told_quickly(ada):
    started = time.monotonic()
    with pytest.raises(ReviewsUnavailable):
        RemoteReviews("http://127.0.0.1:1").page(product=1)
    assert time.monotonic() - started < 2


def test_write_follows_the_reviews_back_home(service, remote, ada, product):
    service.answer(503, Retry_After="0")
    places = iter([True, False])
    moving = MovingReviews(LocalReviews(), remote, lambda: next(places))
    card = moving.write(actor=ada, **written(product=product.pk))
    assert Review.objects.get().pk == card.id
    assert len(service.requests) == 1


def test_write_gives_up_when_patience_ends(service, remote, ada):
    for _ in range(20):
        service.answer(503, Retry_After="1")
    moving = MovingReviews(LocalReviews(), remote, lambda: True, patience=0.5)
    started = time.monotonic()
    with pytest.raises(ReviewsRefused):
        moving.write(actor=ada, **written())
    assert time.monotonic() - started < 2


def test_each_call_asks_anew_where_the_reviews_are(service, ada, product, settings):
    services.review_create(author=ada, product_id=product.pk, rating=5, title="Here")
    settings.REVIEWS_URL = service.url
    service.answer(200, {"count": 1, "next": None, "previous": None, "results": [REVIEW | {"title": "There"}]})
    assert gateway.reviews().page().results[0].title == "Here"
    settings.REVIEWS_MOVED = f"{__name__}.moved"
    assert gateway.reviews().page().results[0].title == "There"
