"""One JSON object a log line, each with the trace that the request, event or task belongs to."""

import json
import logging
import secrets
import time
from contextlib import contextmanager
from contextvars import ContextVar

_traceparent = ContextVar("traceparent", default="")
logger = logging.getLogger("notifications_service.requests")


def current():
    """The `traceparent` of what is being done, or an empty string."""
    return _traceparent.get()


@contextmanager
def continued(given):
    """Go on with a trace, or begin one where none is given."""
    token = _traceparent.set(given or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01")
    try:
        yield
    finally:
        _traceparent.reset(token)


class TraceMiddleware:
    """Continues the caller's trace, or begins one, and logs each request."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with continued(request.headers.get("traceparent", "")):
            began = time.monotonic()
            response = self.get_response(request)
            milliseconds = round((time.monotonic() - began) * 1000, 1)
            facts = {"method": request.method, "path": request.path, "status": response.status_code}
            logger.info("request", extra={"facts": {**facts, "ms": milliseconds}})
            return response


class JsonFormatter(logging.Formatter):
    def format(self, record):
        line = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if traceparent := _traceparent.get():
            line["traceparent"] = traceparent
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)
