"""An issuer of tokens, with keys of its own."""

import json
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

ISSUER = "https://issuer.example"
KINDS = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


class Issuer:
    """Signs by the key of a name; `fetched` counts who has asked for the set."""

    def __init__(self, **kinds):
        self.keys = {kid: (kind, KINDS[kind]()) for kid, kind in (kinds or {"one": "ES256"}).items()}
        self.published = [self.public(kid) for kid in self.keys]
        self.fetched = 0
        self.away = False

    def add(self, kid, kind="ES256"):
        self.keys[kid] = (kind, KINDS[kind]())
        self.published.append(self.public(kid))

    def public(self, kid, **also):
        kind, key = self.keys[kid]
        algorithm = jwt.get_algorithm_by_name(kind)
        return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, **also}

    def read(self, url):
        self.fetched += 1
        if self.away:
            raise OSError("away")
        return json.dumps({"keys": self.published}).encode()

    def token(self, kid="one", headers=None, algorithm=None, key=None, **claims):
        now = int(time.time())
        told = {"iss": ISSUER, "aud": "shop", "sub": "ann", "exp": now + 60, **claims}
        told = {name: value for name, value in told.items() if value is not None}
        kind, own = self.keys[kid]
        named = {name: value for name, value in {"kid": kid, **(headers or {})}.items() if value is not None}
        return jwt.encode(told, key or own, algorithm or kind, headers=named)
