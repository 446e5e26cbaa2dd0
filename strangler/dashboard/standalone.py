"""The dashboard by itself: a server on loopback, for whoever knows the address that it prints.

Loopback is open to everybody on the machine, and to pages of other sites in a browser there; the secret in the address
keeps both out.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from strangler.dashboard import urls
from strangler.errors import StranglerError

HOST = "127.0.0.1"
_HOSTS = (HOST, "localhost")
_USER = "strangler.user"
_OWN = {
    # Nothing of the project's is asked for a page: neither its middleware nor its addresses.
    "MIDDLEWARE": [
        "django.middleware.csrf.CsrfViewMiddleware",
        "strangler.dashboard.standalone.with_user",
    ],
    "ROOT_URLCONF": __name__,
    "ALLOWED_HOSTS": list(_HOSTS),
    "FORCE_SCRIPT_NAME": None,
    "DEBUG": False,
    "CSRF_USE_SESSIONS": False,
    "CSRF_COOKIE_SECURE": False,
    "CSRF_COOKIE_DOMAIN": None,
    "CSRF_COOKIE_NAME": "strangler_dashboard_csrf",
}

urlpatterns = urls.urlpatterns


class Reader:
    """Whoever has the address: sees everything, and may ask for nothing."""

    is_authenticated = is_active = is_staff = True

    def has_perm(self, permission: str) -> bool:
        return False

    def get_username(self) -> str:
        return ""


def serve(port: int, user: str, tell: Callable[[str], object]) -> None:
    """Serve it until Ctrl-C. With "user", somebody of the staff by name, what that one may ask for is offered.

    Raises StranglerError where there is no such user, or the port is taken.
    """
    server, address = start(port, user)
    who = f'as "{user}"' if user else "for reading; --user NAME offers what that user may ask for"
    tell(f"The dashboard is at {address} ({who}). Ctrl-C ends it.")
    with server, suppress(KeyboardInterrupt):
        server.serve_forever()


def start(port: int, user: str = "") -> tuple[ThreadedWSGIServer, str]:
    """A server that listens and is not serving yet, and its address. The settings are this server's from now on."""
    viewer = _user(user) if user else Reader()
    secret = secrets.token_urlsafe(18)
    try:
        server = ThreadedWSGIServer((HOST, port), _Quiet)
    except (OSError, OverflowError) as error:
        raise StranglerError(f"port {port} cannot be used ({error}); choose another one with --port") from error
    for name, value in _OWN.items():
        setattr(settings, name, value)
    server.set_app(_behind(secret, viewer, WSGIHandler()))
    return server, f"http://{HOST}:{server.server_port}/{secret}/"


def with_user(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """The middleware that says who looks."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.user = request.META[_USER]
        return get_response(request)

    return middleware


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Pages of the project's own would lead to addresses that are not here."""
    return HttpResponse(f"{exception}\n", status=403, content_type="text/plain")


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """See handler403."""
    return HttpResponse("there is no such page\n", status=404, content_type="text/plain")


def handler500(request: HttpRequest) -> HttpResponse:
    """See handler403; what went wrong is in the log."""
    return HttpResponse("this went wrong; the log says how\n", status=500, content_type="text/plain")


def _behind(secret: str, viewer: object, application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The application below an address that cannot be guessed; everything else is not there."""
    prefix = f"/{secret}/"

    def checked(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path, host = environ.get("PATH_INFO", ""), environ.get("HTTP_HOST", "").rpartition(":")[0]
        known = secrets.compare_digest(path[: len(prefix)].encode("utf-8", "replace"), prefix.encode())
        if not known or host not in _HOSTS:
            start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return [b""]
        inner = {**environ, "SCRIPT_NAME": prefix[:-1], "PATH_INFO": path[len(prefix) - 1 :], _USER: viewer}
        return application(inner, start_response)

    return checked


def _user(name: str) -> Any:
    if not apps.is_installed("django.contrib.auth"):
        raise StranglerError("the project has no users (django.contrib.auth); leave --user out")
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - there may be no such app

    model = get_user_model()
    try:
        found = model._default_manager.get_by_natural_key(name)
    except model.DoesNotExist as error:
        raise StranglerError(f'there is no user "{name}"') from error
    except DatabaseError as error:
        raise StranglerError(f"the project's users cannot be read: {str(error).splitlines()[0]}") from error
    if not (found.is_active and getattr(found, "is_staff", False)):
        raise StranglerError(f'the user "{name}" is not of the staff')
    return found


class _Quiet(WSGIRequestHandler):
    """Its log would hold the secret."""

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads along."""
