"""Whom does Orchard ask for reviews, and whom does the service believe? Nothing but this program runs."""

import json
import os
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY, OTHER_KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
NOW = int(time.time())
CLAIMS = {
    "iss": "strangler", "aud": "reviews", "sub": "7", "name": "ada", "staff": False, "via": "header",
    "iat": NOW, "exp": NOW + 60,
}  # fmt: skip


def main():
    service = HTTPServer(("127.0.0.1", 0), _Reviews)
    threading.Thread(target=service.serve_forever, args=(0.01,), daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        public = Path(folder) / "public.pem"
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        public.write_bytes(KEY.public_key().public_bytes(serialization.Encoding.PEM, form))
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "monolith.settings",
            "ORCHARD_SECRET_KEY": "of the lab",
            "ORCHARD_REVIEWS_URL": f"http://127.0.0.1:{service.server_port}",
            "REVIEWS_SECRET_KEY": "of the lab",
            "REVIEWS_IDENTITY_PUBLIC_KEY": str(public),
        }
        told = {"where": where(), "who": who()}
    if "--json" in sys.argv:
        print(json.dumps(told))
        return
    print("Orchard asks for reviews.")
    for case, asked in told["where"].items():
        print(f"  {case:<42}{asked}")
    print("Somebody shows the service a token. It takes them for:")
    for case, name in told["who"].items():
        print(f"  {case:<42}{name}")


class _Reviews(BaseHTTPRequestHandler):
    """The service, at whatever port it was given."""

    def do_GET(self):
        body = b'{"count": 8002, "next": null, "results": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, template, *values):
        pass


class _Here:
    """The reviews in Orchard's own database; it refuses writes once they have moved."""

    moved = False

    def page(self, **query):
        return SimpleNamespace(count=1)

    def vote(self, **vote):
        from monolith.reviews.errors import ReviewsRefused

        type(self).moved = not self.moved
        raise ReviewsRefused("They are changing places.", 0.0)


class _There:
    def vote(self, **vote):
        return "the service"


def where():
    """Who was asked, by case."""
    # Orchard's models want a database, which there is none here.
    sys.modules["monolith.reviews.local"] = SimpleNamespace(LocalReviews=_Here)
    sys.modules[__name__].moved = lambda service: _Here.moved
    from django.conf import settings
    from django.test import override_settings

    from monolith.reviews import gateway

    told = {}
    settings.DEBUG  # noqa: B018 - reads them
    with override_settings(REVIEWS_MOVED=f"{__name__}.moved"):
        told["before they move"] = _asked(gateway)
        _Here.moved = True
        told["behind the move, Orchard still running"] = _asked(gateway)
        _Here.moved = False
        told["after the way back"] = _asked(gateway)
        original, gateway.RemoteReviews = gateway.RemoteReviews, lambda *given: _There()
        for cached in [one for one in vars(gateway).values() if hasattr(one, "cache_clear")]:
            cached.cache_clear()
        told["for a vote, when they move meanwhile"] = _voted(gateway)
        gateway.RemoteReviews = original
    return told


def _asked(gateway):
    try:
        count = gateway.reviews().page(product=1).count
    except Exception as error:
        return f"nobody ({error})"
    return {1: "its own database", 8002: "the service"}[count]


def _voted(gateway):
    try:
        return gateway.reviews().vote(actor=None, review=1, helpful=True)
    except Exception as error:
        return f"nobody ({error})"


def who():
    """The name that the service believes, by case."""
    sys.path.append("extracted/reviews")
    from django.test import override_settings
    from reviews_service import settings

    told = {}
    own = {name: value for name, value in vars(settings).items() if name.startswith("IDENTITY_")}
    with override_settings(**own):
        told["Ada's own"] = _taken_for()
        told["none"] = _taken_for(token="")
        told["signed by somebody else"] = _taken_for(key=OTHER_KEY)
        told["not signed at all"] = _taken_for(key="", algorithm="none")
        told["Ada's, for the notifications"] = _taken_for(aud="notifications")
        told["Ada's, of another issuer"] = _taken_for(iss="somebody")
        told["Ada's, of an hour ago"] = _taken_for(iat=NOW - 3600, exp=NOW - 3540)
        told["Ada's, which never ends"] = _taken_for(exp=None)
        told["Ada's browser, sent by another site"] = _taken_for(via="session")
        told["Ada's browser, by a form of ours"] = _taken_for(via="session", form="a" * 32)
    return told


def _taken_for(*, key=KEY, algorithm="EdDSA", token=None, form="", **changes):
    from rest_framework.exceptions import APIException
    from rest_framework.parsers import JSONParser
    from rest_framework.request import Request
    from rest_framework.test import APIRequestFactory

    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    given = jwt.encode(claims, key, algorithm=algorithm) if token is None else token
    factory = APIRequestFactory(enforce_csrf_checks=True)
    request = factory.post(
        "/api/reviews/", {}, format="json", headers={"Strangler-Identity": given, "X-CSRFToken": form}
    )
    request.COOKIES["csrftoken"] = form
    from reviews_service.identity import IdentityAuthentication

    try:
        found = IdentityAuthentication().authenticate(Request(request, parsers=[JSONParser()]))
    except APIException:
        return "nobody"
    except Exception as error:
        return f"an error of its own ({type(error).__name__})"
    return "nobody" if found is None else found[0].username


if __name__ == "__main__":
    main()
