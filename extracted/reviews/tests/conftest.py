import os
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rest_framework.test import APIClient
from reviews_service.reviews.models import Person, Product


def pytest_collection_modifyitems(items):
    if "REVIEWS_DATABASE_URL" not in os.environ:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="REVIEWS_DATABASE_URL names no PostgreSQL"))


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """(the issuer's private key, the path of its public one)."""
    key = Ed25519PrivateKey.generate()
    path = tmp_path_factory.mktemp("keys") / "identity.pub.pem"
    path.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return key, path


@pytest.fixture(autouse=True)
def _public_key(keys, settings):
    settings.IDENTITY_PUBLIC_KEY = str(keys[1])


@pytest.fixture
def token(keys):
    def make(pk=7, key=None, algorithm="EdDSA", **changes):
        now = int(time.time())
        claims = {"iss": "strangler", "aud": "reviews", "sub": str(pk), "name": f"person {pk}", "staff": False}
        claims |= {"via": "header", "iat": now, "exp": now + 60, **changes}
        return jwt.encode(
            {k: v for k, v in claims.items() if v is not None}, keys[0] if key is None else key, algorithm=algorithm
        )

    return make


@pytest.fixture
def caller(token):
    """A client that somebody uses: caller(7), caller(8, staff=True)."""

    def make(pk=7, **claims):
        return APIClient(headers={"Strangler-Identity": token(pk, **claims)})

    return make


@pytest.fixture
def shop(db):
    Product.objects.bulk_create([Product(id=n, name=f"product {n}") for n in (1, 2, 3)])
    Person.objects.bulk_create([Person(id=n, username=f"person {n}") for n in (7, 8)])
