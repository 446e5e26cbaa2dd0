"""The dashboard's pages: read what is there, and leave wishes; nothing takes longer than a look at the databases."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import resolve_url
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from strangler.dashboard import rendering, traces, wishing
from strangler.dashboard.collecting import Collector
from strangler.dashboard.snapshot import PlanView
from strangler.dashboard.steering import PERMISSION
from strangler.dashboard.streaming import LIFETIME, Slots, Stream
from strangler.errors import StranglerError
from strangler.plans import wiring
from strangler.plans.page import record_page

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_POLICY_OF_RECORD = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_ASSETS = {
    path.name: path.read_bytes() for path in sorted(Path(__file__).with_name("assets").iterdir()) if path.is_file()
}
_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
VERSION = hashlib.sha256(b"".join(_ASSETS.values())).hexdigest()[:12]
"""Of the style sheet and the script."""
collector = Collector()
slots = Slots()

View = Callable[..., HttpResponseBase]


def for_staff(view: View) -> View:
    """To people of the staff alone. Anybody else is sent to log in, or told that the page is not for them."""

    @functools.wraps(view)
    # Databases are asked beside Django's; a transaction of its own would only be held meanwhile.
    @transaction.non_atomic_requests
    def checked(request: HttpRequest, *args: object, **options: object) -> HttpResponseBase:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            back = urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})
            return HttpResponseRedirect(f"{resolve_url(settings.LOGIN_URL)}?{back}")
        if not (user.is_active and user.is_staff):
            raise PermissionDenied("the dashboard is for the staff")
        response = view(request, *args, **options)
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    return checked


@for_staff
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The page."""
    return HttpResponse(rendering.page(collector.current(), may_steer=_may_steer(request), version=VERSION))


@for_staff
@require_safe
def events(request: HttpRequest) -> HttpResponseBase:
    """Its changes, as they come."""
    if not slots.take():
        return HttpResponse("all streams are taken; ask again\n", status=503, headers={"Retry-After": "15"})
    may_steer = _may_steer(request)
    # An asynchronous server would read the whole stream before it sends it: there each ends with its first event.
    lifetime = 0.0 if isinstance(request, ASGIRequest) else LIFETIME
    stream = Stream(slots, lambda: rendering.sections(collector.current(), may_steer=may_steer), lifetime=lifetime)
    return StreamingHttpResponse(stream, content_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@for_staff
@require_safe
def as_json(request: HttpRequest) -> HttpResponse:
    """The snapshot."""
    return HttpResponse(collector.current().to_json(), content_type="application/json")


@for_staff
@require_safe
def record(request: HttpRequest, name: str) -> HttpResponse:
    """All that a plan's record tells."""
    plan = _plan(name)
    content = wiring.recorder(wiring.project().plan(name)).read()
    page = record_page(plan.report, content)
    return HttpResponse(page, headers={"Content-Security-Policy": _POLICY_OF_RECORD})


@for_staff
@require_safe
def trace(request: HttpRequest, named: str) -> HttpResponse:
    """One request over all components."""
    try:
        found = traces.trace(named)
    except (StranglerError, ImproperlyConfigured) as error:
        raise Http404(str(error)) from error
    if found is None:
        raise Http404(f'no component has logged anything of the trace "{named}"')
    return HttpResponse(rendering.trace_page(found, version=VERSION))


@for_staff
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def action(request: HttpRequest, name: str, action: str) -> HttpResponse:
    """Ask for something of a plan's rollout; a POST with the plan's name typed does it."""
    if not _may_steer(request):
        raise PermissionDenied(f'to steer rollouts one needs the permission "{PERMISSION}"')
    refused = ""
    if request.method == "POST":
        try:
            wishing.ask(name, action, typed=request.POST.get("typed", ""), who=request.user.get_username())
        except (StranglerError, ImproperlyConfigured) as error:
            refused = str(error)
        collector.forget()
        if not refused:
            return HttpResponse(status=303, headers={"Location": "../../"})
    plan = _plan(name)
    offered = next((one for one in plan.actions if one.name == action), None)
    if offered is None and not refused:
        raise Http404(f'"{action}" is not offered for plan "{name}" now')
    token = get_token(request)
    page = rendering.confirmation(plan, action, offered, token=token, version=VERSION, refused=refused)
    return HttpResponse(page, status=409 if refused else 200)


@require_safe
def asset(request: HttpRequest, name: str) -> HttpResponse:
    """The style sheet or the script; they tell nothing, so that anybody may have them."""
    if name not in _ASSETS:
        raise Http404
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(_ASSETS[name], content_type=_KINDS[Path(name).suffix], headers=headers)


def _plan(name: str) -> PlanView:
    plan = collector.current().plan(name)
    if plan is None:
        raise Http404(f'there is no plan "{name}"')
    return plan


def _may_steer(request: HttpRequest) -> bool:
    return bool(request.user.has_perm(PERMISSION))
