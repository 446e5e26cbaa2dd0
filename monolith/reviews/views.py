from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from monolith.catalog.models import Product
from monolith.catalog.views import product_context
from monolith.reviews.errors import ReviewsError, ReviewsUnavailable
from monolith.reviews.forms import ReviewForm, VoteForm
from monolith.reviews.gateway import reviews

_AWAY = "The reviews are away at the moment. Nothing is lost: please send it again in a minute."


# Not one transaction: the reviews may be in a service, and following them there may take seconds in which a
# transaction would hold its connection and snapshot. Here, each write of the gateway is a transaction of its own.
@transaction.non_atomic_requests
@login_required
@require_POST
def post_review(request, slug):
    product = get_object_or_404(Product.objects.select_related("category"), slug=slug)
    form = ReviewForm(request.POST)
    if not form.is_valid():
        return render(request, "catalog/product.html", product_context(request, product, form), status=400)
    try:
        reviews().write(actor=request.user, product=product.pk, **form.cleaned_data)
    except ReviewsUnavailable:
        form.add_error(None, _AWAY)
        return render(request, "catalog/product.html", product_context(request, product, form), status=503)
    except ReviewsError as error:
        form.add_error(None, str(error))
        return render(request, "catalog/product.html", product_context(request, product, form), status=409)
    messages.success(request, "Thank you, your review is published.")
    return redirect(product)


@transaction.non_atomic_requests
@login_required
@require_POST
def post_vote(request, slug, review):
    product = get_object_or_404(Product, slug=slug)
    form = VoteForm(request.POST)
    try:
        if form.is_valid():
            reviews().vote(actor=request.user, review=review, helpful=form.cleaned_data["helpful"])
            messages.success(request, "Thank you for your vote.")
    except ReviewsUnavailable:
        messages.error(request, _AWAY)
    except ReviewsError as error:
        messages.error(request, str(error))
    return redirect(f"{product.get_absolute_url()}#review-{review}")
