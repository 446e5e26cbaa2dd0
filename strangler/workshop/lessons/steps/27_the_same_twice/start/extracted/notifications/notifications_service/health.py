"""Whether the process lives, and whether it can serve."""

from django.db import DatabaseError, connection
from django.db.transaction import non_atomic_requests
from django.http import JsonResponse
from django.views.decorators.http import require_safe

from notifications_service.rehearsal import reason_against


@require_safe
@non_atomic_requests
def live(request):
    return JsonResponse({"status": "ok"})


@require_safe
@non_atomic_requests
def ready(request):
    """503 with the reason where the database does not answer."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        reason = f"the database does not answer ({type(error).__name__})"
        return JsonResponse({"status": "unready", "reason": reason}, status=503)
    return JsonResponse({"status": "ok"})


@require_safe
@non_atomic_requests
def rehearsal(request):
    """Whether writes can be rehearsed here; 503 with the reason where not."""
    try:
        reason = reason_against()
    except DatabaseError as error:
        reason = f"the database does not answer ({type(error).__name__})"
    if reason:
        return JsonResponse({"status": "unready", "reason": reason}, status=503)
    return JsonResponse({"status": "ok"})
