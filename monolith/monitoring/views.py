from datetime import timedelta

from django.contrib.admin.views.decorators import staff_member_required
from django.db import DatabaseError, connection, transaction
from django.db.models import F, FloatField, Max, Sum
from django.db.models.functions import Cast
from django.http import JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from monolith.monitoring.models import RouteMinute


@transaction.non_atomic_requests
@require_safe
def live(request):
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@transaction.non_atomic_requests
@require_safe
def ready(request):
    """Requests can be served: the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "database": "does not answer"}, status=503)
    return JsonResponse({"status": "ok", "database": "ok"})


@require_safe
@staff_member_required(login_url="login")
def dashboard(request):
    """The last hour by route, the busiest first."""
    recent = RouteMinute.objects.filter(minute__gte=timezone.now() - timedelta(hours=1))
    routes = (
        recent.values("route")
        .annotate(
            number=Sum("requests"),
            failed=Sum("errors"),
            mean=Sum("milliseconds") / Cast(Sum("requests"), FloatField()),
            worst=Max("slowest"),
        )
        .order_by(F("number").desc())
    )
    return render(request, "monitoring/dashboard.html", {"routes": routes})
