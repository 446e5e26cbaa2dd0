from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from monolith.accounts.forms import ProfileForm, RegistrationForm
from monolith.accounts.services import user_register
from monolith.notifications.errors import NotificationsUnavailable
from monolith.notifications.gateway import notifications
from monolith.orders.selectors import orders_of
from monolith.reviews.errors import ReviewsUnavailable
from monolith.reviews.gateway import reviews


@require_http_methods(["GET", "HEAD", "POST"])
def register(request):
    form = RegistrationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = user_register(
            username=form.cleaned_data["username"],
            email=form.cleaned_data["email"],
            display_name=form.cleaned_data["display_name"],
            password=form.cleaned_data["password1"],
        )
        login(request, user)
        return redirect("profile")
    return render(request, "accounts/register.html", {"form": form})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request):
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your profile is saved.")
        return redirect("profile")
    context = {
        "form": form,
        "orders": orders_of(request.user)[:10],
        "reviews": _reviews_by(request.user),
        **_messages_of(request.user),
    }
    return render(request, "accounts/profile.html", context)


def _reviews_by(user):
    try:
        return reviews().page(author=user.pk)
    except ReviewsUnavailable:
        return None


def _messages_of(user):
    mine = notifications()
    try:
        return {"messages_of_mine": mine.unread(user=user), "mail_wanted": mine.mail_wanted(user=user)}
    except NotificationsUnavailable:
        return {"messages_of_mine": None}
