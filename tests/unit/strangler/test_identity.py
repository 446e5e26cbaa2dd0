"""Tokens for services, and the endpoint that gives them to the proxy."""

import stat

import jwt
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured

from strangler import identity

pytestmark = pytest.mark.django_db


@pytest.fixture
def public_key(tmp_path, settings):
    private, public = identity.generate_keys(tmp_path)
    settings.STRANGLER = {**settings.STRANGLER, "IDENTITY_KEY": str(private), "PROXY_TOKEN": "between us"}
    return public.read_text()


@pytest.fixture
def ada():
    return get_user_model().objects.create_user(username="ada", password="correct horse")


def test_a_token_says_who_for_whom_and_for_how_long(public_key, ada):
    claims = jwt.decode(identity.issue(ada, "reviews"), public_key, algorithms=["EdDSA"], audience="reviews")
    assert (claims["sub"], claims["name"], claims["staff"], claims["via"]) == (str(ada.pk), "ada", False, "header")
    assert claims["exp"] - claims["iat"] == 60


def test_a_token_is_for_one_service(public_key, ada):
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(identity.issue(ada, "reviews"), public_key, algorithms=["EdDSA"], audience="orders")


def test_nobody_gets_no_token(public_key):
    assert identity.issue(AnonymousUser(), "reviews") is None


def test_keys_are_made_once_and_the_private_one_is_for_its_owner_alone(tmp_path):
    private, public = identity.generate_keys(tmp_path)
    before = private.read_bytes()
    assert identity.generate_keys(tmp_path) == (private, public)
    assert private.read_bytes() == before
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_a_key_that_cannot_be_read_is_named(settings, ada, tmp_path):
    settings.STRANGLER = {**settings.STRANGLER, "IDENTITY_KEY": str(tmp_path / "nowhere.pem")}
    with pytest.raises(ImproperlyConfigured, match="nowhere"):
        identity.issue(ada, "reviews")


def test_the_proxy_asks_for_a_session_and_gets_a_token(client, public_key, ada):
    client.force_login(ada)
    answer = client.get("/.strangler/identity?audience=reviews", headers={"Strangler-Proxy-Token": "between us"})
    claims = jwt.decode(answer.json()["token"], public_key, algorithms=["EdDSA"], audience="reviews")
    assert (claims["name"], claims["via"]) == ("ada", "session")


def test_the_proxy_learns_that_a_client_is_anonymous(client, public_key):
    answer = client.get("/.strangler/identity?audience=reviews", headers={"Strangler-Proxy-Token": "between us"})
    assert answer.status_code == 204


@pytest.mark.parametrize("headers", [{}, {"Strangler-Proxy-Token": "guessed"}])
def test_nobody_but_the_proxy_gets_tokens(client, public_key, ada, headers):
    client.force_login(ada)
    assert client.get("/.strangler/identity?audience=reviews", headers=headers).status_code == 404
