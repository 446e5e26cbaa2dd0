"""W3C trace context: every request has a `traceparent`, continued from the caller's where it sent a valid one."""

import re
import secrets
from contextlib import contextmanager
from contextvars import ContextVar

_VALID = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_current = ContextVar("traceparent", default="")


def current():
    """The `traceparent` of the request being served, or an empty string outside of one."""
    return _current.get()


@contextmanager
def continuing(traceparent):
    """Within, what is done belongs to the trace of `traceparent`, or to a new one where it is not valid."""
    token = _current.set(_continued(traceparent))
    try:
        yield
    finally:
        _current.reset(token)


def middleware(get_response):
    def trace(request):
        with continuing(request.headers.get("traceparent", "")):
            return get_response(request)

    return trace


def _continued(incoming):
    if _VALID.fullmatch(incoming):
        version, trace, _, flags = incoming.split("-")
    else:
        version, trace, flags = "00", secrets.token_hex(16), "01"
    return f"{version}-{trace}-{secrets.token_hex(8)}-{flags}"
