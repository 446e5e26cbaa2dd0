"""Stands first in MIDDLEWARE and records what each request does. Without STRANGLER["TRACE"] it is not there at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from strangler.tracing.complaints import harmless
from strangler.tracing.listening import start, started
from strangler.tracing.options import options
from strangler.tracing.recorder import Recorder
from strangler.tracing.unit import Unit

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Handler = Callable[[HttpRequest], Any]


@sync_and_async_middleware
def trace(get_response: Handler) -> Handler:
    """The middleware, for both kinds of servers."""
    recorder = started()
    if recorder is None:
        wanted = options()
        if wanted is None:
            raise MiddlewareNotUsed
        recorder = start(wanted)
    return (
        _asynchronous(get_response, recorder) if iscoroutinefunction(get_response) else _plain(get_response, recorder)
    )


def _plain(get_response: Handler, recorder: Recorder) -> Handler:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        unit = recorder.begin("route")
        try:
            return get_response(request)  # type: ignore[no-any-return]
        finally:
            _end(recorder, unit, request)

    return middleware


def _asynchronous(get_response: Handler, recorder: Recorder) -> Callable[[HttpRequest], Awaitable[HttpResponseBase]]:
    async def middleware(request: HttpRequest) -> HttpResponseBase:
        unit = recorder.begin("route")
        try:
            return await get_response(request)  # type: ignore[no-any-return]
        finally:
            _end(recorder, unit, request)

    return middleware


def _end(recorder: Recorder, unit: Unit | None, request: HttpRequest) -> None:
    if unit is None:
        return
    with harmless():
        _name(unit, request)
    recorder.end(unit)


def _name(unit: Unit, request: HttpRequest) -> None:
    match = request.resolver_match
    # A method is whatever a client sends.
    method = request.method if request.method in _METHODS else "another method,"
    unit.name = f"{method} /{match.route.removeprefix('/')}" if match is not None else f"{method} (no route)"
    unit.module = _module_of(getattr(match, "func", None))


def _module_of(view: Any) -> str:
    """Of the class behind a view: of Django's, of Django REST framework's, or of the staff's pages."""
    found = getattr(view, "view_class", None) or getattr(view, "cls", None)
    if found is None and (admin := getattr(view, "model_admin", None)) is not None:
        found = type(admin)
    return str(getattr(found or view, "__module__", ""))
