import logging
import time

from monolith.monitoring.recorder import recorder

logger = logging.getLogger("orchard.access")


class MeasureRequests:
    """Counts and logs every request but the health checks."""

    def __init__(self, get_response):
        self._get_response = get_response

    def __call__(self, request):
        started = time.perf_counter()
        response = self._get_response(request)
        milliseconds = (time.perf_counter() - started) * 1000
        if not request.path.startswith("/health/"):
            match = request.resolver_match
            recorder.add(match.route if match else "(none)", milliseconds, response.status_code >= 500)
            logger.info(
                "request",
                extra={
                    "method": request.method,
                    "path": request.path,
                    "status": response.status_code,
                    "milliseconds": round(milliseconds, 1),
                },
            )
        return response
