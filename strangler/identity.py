"""Who somebody is, told to a service: a short-lived token that the monolith's side signs and the service verifies."""

from __future__ import annotations

import os
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import ImproperlyConfigured

from strangler.conf import configuration

LIFETIME = 60
"""Seconds that a token is good for: longer than any request waits, too short to be worth stealing."""
ISSUER = "strangler"


def issue(user: Any, audience: str, via: str = "header") -> str | None:
    """A token that tells the service "audience" who "user" is; None for somebody anonymous.

    "via" says how the user proved it here: "session" makes the service check CSRF, as the monolith would.
    Raises ImproperlyConfigured where no key is set.
    """
    if not getattr(user, "is_authenticated", False):
        return None
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": audience,
        "sub": str(user.pk),
        "name": user.get_username(),
        "staff": bool(user.is_staff),
        "via": via,
        "iat": now,
        "exp": now + LIFETIME,
    }
    return jwt.encode(claims, _signing_key(), algorithm="EdDSA")


def generate_keys(directory: Path) -> tuple[Path, Path]:
    """Make a pair of keys where there is none; the paths of the private (for its owner alone) and the public one."""
    private, public = directory / "identity.pem", directory / "identity.pub.pem"
    if not private.exists():
        directory.mkdir(parents=True, exist_ok=True)
        key = Ed25519PrivateKey.generate()
        with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(
                key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
            )
        public.write_bytes(
            key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
    return private, public


def _signing_key() -> Ed25519PrivateKey:
    path = configuration().identity_key
    if path is None:
        raise ImproperlyConfigured('STRANGLER["IDENTITY_KEY"] is not set; give the path of the private key')
    return _read_key(path)


@lru_cache(maxsize=4)
def _read_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f'STRANGLER["IDENTITY_KEY"]: cannot read a key from "{path}" ({error})') from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ImproperlyConfigured(f'STRANGLER["IDENTITY_KEY"]: "{path}" is not an Ed25519 key')
    return key
