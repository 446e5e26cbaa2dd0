from uuid import uuid4

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from monolith.cart.forms import QuantityForm
from monolith.cart.selectors import SESSION_KEY, cart_items, cart_of, cart_total
from monolith.cart.services import item_add, item_set
from monolith.catalog.models import Product


@require_safe
def cart(request):
    items = cart_items(cart_of(request))
    return render(request, "cart/cart.html", {"items": items, "total": cart_total(items)})


@require_POST
def add(request, slug):
    product = get_object_or_404(Product, slug=slug)
    key = cart_of(request)
    if key is None:
        key = uuid4()
        request.session[SESSION_KEY] = str(key)
    item_add(cart=key, product=product)
    messages.success(request, f"“{product.name}” is in your cart.")
    return redirect("cart")


@require_POST
def change(request, product):
    form = QuantityForm(request.POST)
    if form.is_valid():
        item_set(cart=cart_of(request), product_id=product, quantity=form.cleaned_data["quantity"])
    else:
        messages.error(request, "A quantity is a number from 0 to 99.")
    return redirect("cart")
