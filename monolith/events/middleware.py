import logging

from django.db import DatabaseError

from monolith.events.models import Event

logger = logging.getLogger(__name__)

_SILENT = ("/static/", "/media/", "/health/", "/admin/", "/.strangler/")


class RecordEvents:
    """Writes a row for every page and call that succeeded, before the visitor gets the answer."""

    def __init__(self, get_response):
        self._get_response = get_response

    def __call__(self, request):
        response = self._get_response(request)
        if response.status_code < 400 and not request.path.startswith(_SILENT):
            _write(request, response)
        return response


def _write(request, response):
    try:
        Event.objects.create(
            kind="view" if request.method in {"GET", "HEAD"} else "act",
            path=request.path[:300],
            user_id=request.user.pk,
            visitor=(request.session.session_key or "")[:40],
            details={"query": request.GET.dict(), "status": response.status_code},
        )
    except DatabaseError:
        # What was asked for is done and committed: the visitor must not be told otherwise.
        logger.exception("event lost", extra={"path": request.path})
