import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.middleware.csrf import _get_new_csrf_string
from rest_framework.test import APIClient

REVIEW = {"product": 1, "rating": 5, "title": "Crisp"}


def post(token, **extra):
    return APIClient(enforce_csrf_checks=True).post(
        "/api/reviews/", REVIEW, headers={"Strangler-Identity": token, **extra}
    )


@pytest.mark.django_db
def test_nobody_may_write_without_a_token(shop):
    assert APIClient().post("/api/reviews/", REVIEW).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"aud": "orders"},
        {"iss": "somebody"},
        {"key": Ed25519PrivateKey.generate()},
        {"key": "", "algorithm": "none"},
        {"key": "a shared secret that is long enough for HMAC", "algorithm": "HS256"},
        {"sub": "1; DROP TABLE"},
    ],
)
def test_a_token_that_does_not_verify_is_nobodys(shop, token, changes):
    assert post(token(**changes)).status_code == 403


@pytest.mark.django_db
def test_a_changed_token_is_nobodys(shop, token):
    head, _, tail = token().partition(".")
    assert post(f"{head}.{tail[::-1]}").status_code == 403


@pytest.mark.django_db
def test_who_comes_with_a_session_needs_the_csrf_token(shop, token):
    refused = post(token(via="session"))
    assert (refused.status_code, "CSRF" in refused.json()["detail"]) == (403, True)
    secret = _get_new_csrf_string()
    client = APIClient(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = secret
    headers = {"Strangler-Identity": token(via="session"), "X-CSRFToken": secret}
    assert client.post("/api/reviews/", REVIEW, headers=headers).status_code == 201


@pytest.mark.django_db
def test_who_comes_with_a_header_needs_none(shop, token):
    assert post(token()).status_code == 201
