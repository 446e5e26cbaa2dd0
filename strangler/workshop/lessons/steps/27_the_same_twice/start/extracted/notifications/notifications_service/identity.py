"""Who is calling: a short-lived token that somebody else signed, verified with the public key alone."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import jwt
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.exceptions import PermissionDenied

HEADER = "Strangler-Identity"
_LEEWAY_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody whom the token names."""

    pk: int
    username: str
    is_staff: bool
    is_authenticated = True


class Anonymous:
    """Nobody in particular."""

    pk = None
    username = ""
    is_staff = False
    is_authenticated = False


class IdentityAuthentication(BaseAuthentication):
    """No token, or one that does not verify: anonymous. Who came with a browser session must pass the CSRF check."""

    def authenticate(self, request):
        claims = _claims(request.headers.get(HEADER, ""))
        if claims is None:
            return None
        if claims.get("via") == "session":
            _enforce_csrf(request)
        return Caller(pk=int(claims["sub"]), username=claims["name"], is_staff=claims["staff"] is True), claims


class IdentityScheme(OpenApiAuthenticationExtension):
    target_class = IdentityAuthentication
    name = "identity"

    def get_security_definition(self, auto_schema):
        return {
            "type": "apiKey",
            "in": "header",
            "name": HEADER,
            "description": "Signed; the proxy puts it there.",
        }


def _claims(token):
    if not token:
        return None
    try:
        claims = jwt.decode(
            token,
            _public_key(settings.IDENTITY_PUBLIC_KEY),
            algorithms=["EdDSA"],
            audience=settings.IDENTITY_AUDIENCE,
            issuer=settings.IDENTITY_ISSUER,
            leeway=_LEEWAY_SECONDS,
        )
    except jwt.InvalidTokenError:
        return None
    return claims if claims["sub"].isdigit() else None


def _enforce_csrf(request):
    # Django's check needs no session: it compares a cookie with a header or a form field.
    check = CSRFCheck(lambda request: None)
    check.process_request(request)
    reason = check.process_view(request, None, (), {})
    if reason:
        raise PermissionDenied(f"CSRF Failed: {reason}")


@lru_cache(maxsize=2)
def _public_key(path):
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError as error:
        raise ImproperlyConfigured(
            f'NOTIFICATIONS_IDENTITY_PUBLIC_KEY: cannot read "{path}" ({error.strerror})'
        ) from error
