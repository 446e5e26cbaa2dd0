from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from monolith.notifications.errors import NotificationsError
from monolith.notifications.gateway import notifications


# Not one transaction, as it would wait with them while the notifications are followed to another place.
@transaction.non_atomic_requests
@login_required
@require_POST
def mark_read(request, notification):
    return _done(request, lambda: notifications().mark_read(user=request.user, notification=notification))


@transaction.non_atomic_requests
@login_required
@require_POST
def want_mail(request):
    wanted = "mail" in request.POST
    return _done(request, lambda: notifications().want_mail(user=request.user, mail=wanted))


def _done(request, act):
    try:
        act()
    except NotificationsError as error:
        messages.error(request, str(error))
    return redirect("profile")
