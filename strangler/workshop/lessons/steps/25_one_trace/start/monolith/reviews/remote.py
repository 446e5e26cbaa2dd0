"""The reviews in a service of their own, over HTTP (docs/contracts.md, "Reviews API")."""

import random
import time
from datetime import datetime
from uuid import UUID

import httpx

from monolith.guard import Guard, Limits, Spared
from monolith.reviews.errors import (
    ReviewConflict,
    ReviewForbidden,
    ReviewInvalid,
    ReviewNotFound,
    ReviewsRefused,
    ReviewsSpared,
    ReviewsUnavailable,
)
from monolith.reviews.placement import identity_token
from monolith.reviews.values import Rating, ReviewCard, ReviewPage

AUDIENCE = "reviews"
READ_ATTEMPTS = 3
TIMEOUT = httpx.Timeout(2.0, connect=0.5)
LIMITS = Limits(most=4, wait=0.5, failures=5, pause=1.0)
_PAUSE = 0.05
_PRODUCTS_A_CALL = 100


class RemoteReviews:
    """Reads are tried again a few times; a write is sent once, because its answer may be lost after it counted."""

    def __init__(self, url, timeout=TIMEOUT, limits=LIMITS):
        self._client = httpx.Client(base_url=url, timeout=timeout, trust_env=False)
        self._guard = Guard(limits, failure=ReviewsUnavailable)

    def page(self, *, product=None, author=None, ordering="-created_at", number=1):
        query = {"product": product, "author": author, "ordering": ordering, "page": number}
        try:
            answer = self._read("/api/reviews/", {key: value for key, value in query.items() if value is not None})
        except ReviewNotFound:
            return ReviewPage(count=0, number=number, has_next=False, results=())
        return ReviewPage(
            count=answer["count"],
            number=number,
            has_next=answer["next"] is not None,
            results=tuple(_card(review) for review in answer["results"]),
        )

    def get(self, review_id):
        return _card(self._read(f"/api/reviews/{review_id}/"))

    def write(self, *, actor, product, rating, title, body, reference):
        review = {"product": product, "rating": rating, "title": title, "body": body, "reference": str(reference)}
        return _card(self._write("POST", "/api/reviews/", actor, json=review))

    def vote(self, *, actor, review, helpful):
        return _card(self._write("POST", f"/api/reviews/{review}/votes/", actor, json={"helpful": helpful}))

    def set_status(self, *, actor, review, status):
        return _card(self._write("PATCH", f"/api/reviews/{review}/", actor, json={"status": status}))

    def forget(self, *, actor, product=None, author=None):
        whose = {"product": product} if product is not None else {"author": author}
        self._write("DELETE", "/api/reviews/", actor, params=whose)

    def ratings(self, *, products):
        found = []
        for start in range(0, len(products), _PRODUCTS_A_CALL):
            asked = {"product": products[start : start + _PRODUCTS_A_CALL]}
            found += [Rating(**rating) for rating in self._read("/api/reviews/ratings/", asked)]
        return found

    def ratings_changed_since(self, moment):
        answer = self._read("/api/reviews/ratings/", {"changed_since": moment.isoformat()})
        return [Rating(**rating) for rating in answer]

    def _read(self, path, params=None):
        for attempt in range(1, READ_ATTEMPTS + 1):
            try:
                return self._send("GET", path, params=params)
            except ReviewsSpared:
                raise
            except ReviewsUnavailable:
                if attempt == READ_ATTEMPTS:
                    raise
                # Jittered, so that many pages do not knock again in step.
                time.sleep(_PAUSE * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311
        raise AssertionError("unreachable")

    def _write(self, method, path, actor, **request):
        token = identity_token(actor, AUDIENCE)
        return self._send(method, path, headers={"Strangler-Identity": token} if token else {}, **request)

    def _send(self, method, path, headers=None, **request):
        try:
            response = self._guard(lambda: self._answer(method, path, headers=headers, **request))
        except Spared as error:
            raise ReviewsSpared(f"The reviews are not asked now: {error}.") from error
        _raise_for(response)
        return response.json() if response.content else None

    def _answer(self, method, path, **request):
        """Whatever the service says, unless it fails at that."""
        try:
            response = self._client.request(method, path, **request)
        except httpx.TransportError as error:
            raise ReviewsUnavailable(f"The reviews do not answer ({type(error).__name__}).") from error
        if response.status_code >= 500 and not _is_refusal(response):
            raise ReviewsUnavailable(f"The reviews answer with an error ({response.status_code}).")
        return response


def _is_refusal(response):
    return response.status_code == 503 and "Retry-After" in response.headers


def _raise_for(response):
    if _is_refusal(response):
        raise ReviewsRefused("The reviews are changing places.", _seconds(response.headers["Retry-After"]))
    match response.status_code:
        case status if status < 400:
            return
        case 400:
            raise ReviewInvalid(_sentence(response))
        case 401 | 403:
            raise ReviewForbidden(_sentence(response))
        case 404:
            raise ReviewNotFound(_sentence(response))
        case 409:
            raise ReviewConflict(_sentence(response))
        case status:
            raise ReviewsUnavailable(f"The reviews answer with an error ({status}).")


def _seconds(retry_after):
    return float(retry_after) if retry_after.isdigit() else 1.0


def _sentence(response):
    try:
        told = response.json()
    except ValueError:
        return f"The reviews say {response.status_code}."
    return str(told.get("detail", told)) if isinstance(told, dict) else str(told)


def _card(review):
    return ReviewCard(
        id=review["id"],
        reference=UUID(review["reference"]),
        product=review["product"],
        product_name=review["product_name"],
        author_id=review["author"]["id"],
        author=review["author"]["username"],
        rating=review["rating"],
        title=review["title"],
        body=review["body"],
        status=review["status"],
        helpful_votes=review["helpful_votes"],
        votes=review["votes"],
        created_at=datetime.fromisoformat(review["created_at"]),
        updated_at=datetime.fromisoformat(review["updated_at"]),
    )
