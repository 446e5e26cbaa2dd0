import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.middleware.csrf import _get_new_csrf_string
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db
PATH = "/api/notifications/preferences/"


def put(token, **extra):
    headers = {"Strangler-Identity": token, **extra}
    return APIClient(enforce_csrf_checks=True).put(PATH, {"mail": True}, headers=headers)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"aud": "reviews"},
        {"iss": "somebody"},
        {"key": Ed25519PrivateKey.generate()},
        {"key": "", "algorithm": "none"},
        {"key": "a shared secret that is long enough for HMAC", "algorithm": "HS256"},
        {"sub": "1; DROP TABLE"},
    ],
)
def test_a_token_that_does_not_verify_is_nobodys(token, changes):
    assert put(token(**changes)).status_code == 403


def test_a_changed_token_is_nobodys(token):
    head, _, tail = token().partition(".")
    assert put(f"{head}.{tail[::-1]}").status_code == 403


def test_who_comes_with_a_session_needs_the_csrf_token(token):
    refused = put(token(via="session"))
    assert (refused.status_code, "CSRF" in refused.json()["detail"]) == (403, True)
    secret = _get_new_csrf_string()
    client = APIClient(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = secret
    headers = {"Strangler-Identity": token(via="session"), "X-CSRFToken": secret}
    assert client.put(PATH, {"mail": True}, headers=headers).status_code == 200


def test_who_comes_with_a_header_needs_none(token):
    assert put(token()).status_code == 200
