"""One JSON object a log line, each with the trace that the request belongs to."""

import json
import logging
import secrets
import time
from contextvars import ContextVar
from datetime import UTC, datetime

_traceparent = ContextVar("traceparent", default="")
logger = logging.getLogger("reviews_service.requests")


class TraceMiddleware:
    """Begins a trace, and logs each request."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        token = _traceparent.set(f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01")
        began = time.monotonic()
        try:
            response = self.get_response(request)
            milliseconds = round((time.monotonic() - began) * 1000, 1)
            facts = {"method": request.method, "path": request.path, "status": response.status_code}
            logger.info("request", extra={"facts": {**facts, "ms": milliseconds}})
            return response
        finally:
            _traceparent.reset(token)


class JsonFormatter(logging.Formatter):
    def format(self, record):
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
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
