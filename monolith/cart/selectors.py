from uuid import UUID

from django.db.models import Sum

from monolith.cart.models import Item

SESSION_KEY = "cart"


def cart_of(request):
    """The visitor's cart, or None before anything was put into it."""
    key = request.session.get(SESSION_KEY)
    return UUID(key) if key else None


def cart_items(cart):
    return list(Item.objects.filter(cart=cart).select_related("product").order_by("added_at")) if cart else []


def cart_total(items):
    return sum(item.amount for item in items)


def cart_count(cart):
    return (Item.objects.filter(cart=cart).aggregate(n=Sum("quantity"))["n"] or 0) if cart else 0
