"""Asks each service the same questions: whom does it believe, and can its log lines be followed?"""

import importlib
import json
import logging
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

SERVICES = ("reviews", "notifications")
KEY = Ed25519PrivateKey.generate()


def main():
    settings.configure()
    sys.path += [f"extracted/{service}" for service in SERVICES]
    with tempfile.TemporaryDirectory() as folder:
        public = Path(folder) / "public.pem"
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        public.write_bytes(KEY.public_key().public_bytes(serialization.Encoding.PEM, form))
        told = {service: asked(service, str(public)) for service in SERVICES}
    if "--json" in sys.argv:
        print(json.dumps(told))
        return
    print(f"{'':<44}{SERVICES[0]:<12}{SERVICES[1]}")
    for question in told[SERVICES[0]]:
        print(f"{question:<44}{told[SERVICES[0]][question]:<12}{told[SERVICES[1]][question]}")


def asked(service, public):
    """The answers of one service."""
    from django.test import override_settings

    identity = importlib.import_module(f"{service}_service.identity")
    told = {}
    with override_settings(IDENTITY_PUBLIC_KEY=public, IDENTITY_AUDIENCE=service, IDENTITY_ISSUER="strangler"):
        told["a token of the shop's is believed"] = believes(identity, service)
        told["a token for another service is not"] = no(believes(identity, service, aud="accounts"))
        told["a token that has ended is not"] = no(believes(identity, service, exp=int(time.time()) - 60))
        told["a token that never ends is not"] = no(believes(identity, service, exp=None))
    told["its log lines can be put in order"] = in_order(importlib.import_module(f"{service}_service.tracing"))
    return told


def believes(identity, service, **changes):
    from rest_framework.request import Request
    from rest_framework.test import APIRequestFactory

    now = int(time.time())
    claims = {"iss": "strangler", "aud": service, "sub": "7", "name": "ada", "staff": False, "via": "header"}
    claims |= {"iat": now, "exp": now + 60, **changes}
    token = jwt.encode({name: value for name, value in claims.items() if value is not None}, KEY, algorithm="EdDSA")
    request = APIRequestFactory().get("/", headers={"Strangler-Identity": token})
    return "yes" if identity.IdentityAuthentication().authenticate(Request(request)) else "no"


def in_order(tracing):
    """Whether a line says when, to the millisecond, and in which zone."""
    line = json.loads(tracing.JsonFormatter().format(logging.makeLogRecord({"msg": "hello"})))
    return "yes" if datetime.fromisoformat(line["at"]).tzinfo and "." in line["at"] else "no"


def no(answer):
    return {"yes": "no", "no": "yes"}[answer]


if __name__ == "__main__":
    main()
