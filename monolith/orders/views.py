from uuid import uuid4

from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from monolith.cart.selectors import cart_items, cart_of, cart_total
from monolith.orders.forms import CheckoutForm
from monolith.orders.payments import PaymentFailed
from monolith.orders.selectors import orders_of
from monolith.orders.services import CartEmpty, OutOfStock, order_place

_REFUSALS = {OutOfStock: 409, CartEmpty: 409, PaymentFailed: 502}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request):
    if request.method == "GET":
        return _page(request, CheckoutForm(initial={"number": uuid4()}))
    form = CheckoutForm(request.POST)
    if not form.is_valid():
        return _page(request, form, 400)
    placed = orders_of(request.user).filter(number=form.cleaned_data["number"]).first()
    if placed is not None:
        return redirect("order", number=placed.number)
    try:
        order = order_place(customer=request.user, cart=cart_of(request), **form.cleaned_data)
    except tuple(_REFUSALS) as error:
        form.add_error(None, str(error))
        return _page(request, form, _REFUSALS[type(error)])
    return redirect("order", number=order.number)


@login_required
@require_safe
def order(request, number):
    return render(request, "orders/order.html", {"order": get_object_or_404(orders_of(request.user), number=number)})


def _page(request, form, status=200):
    items = cart_items(cart_of(request))
    context = {"form": form, "items": items, "total": cart_total(items)}
    return render(request, "orders/checkout.html", context, status=status)
