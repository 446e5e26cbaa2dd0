from uuid import uuid4

from django.db import transaction

from monolith.cart.models import Item
from monolith.orders.events import placed
from monolith.orders.models import Line, Order, Payment, Stock
from monolith.orders.payments import charge
from monolith.orders.tasks import fulfil
from monolith.outbox.services import emit
from monolith.tasks import enqueue_on_commit
from monolith.workflow.engine import start


class OutOfStock(Exception):
    """Fewer in the warehouse than in the cart."""


class CartEmpty(Exception):
    """There is nothing to order."""


@transaction.atomic
def order_place(*, customer, cart, address, number=None):
    """Order, inventory and payment in one transaction: all of it happens, or nothing does."""
    items = list(Item.objects.filter(cart=cart).select_related("product").order_by("product_id"))
    if not items:
        raise CartEmpty("Your cart is empty.")
    _take_from_stock(items)
    total = sum(item.amount for item in items)
    order = Order.objects.create(number=number or uuid4(), customer=customer, total=total, address=address)
    Line.objects.bulk_create(
        Line(order=order, product=i.product, name=i.product.name, price=i.product.price, quantity=i.quantity)
        for i in items
    )
    reference = charge(key=order.number, amount=total)
    Payment.objects.create(order=order, provider_reference=reference, amount=total)
    Item.objects.filter(cart=cart).delete()
    emit(**placed(order))
    start("fulfilment", subject=order.pk)
    enqueue_on_commit(fulfil, order.pk)
    return order


def _take_from_stock(items):
    # Locked in the order of the products, so that two carts with the same things cannot deadlock.
    products = [item.product_id for item in items]
    shelves = {
        s.product_id: s for s in Stock.objects.select_for_update().filter(product__in=products).order_by("product_id")
    }
    for item in items:
        shelf = shelves.get(item.product_id)
        if shelf is None or shelf.on_hand < item.quantity:
            raise OutOfStock(f"There are not enough of “{item.product.name}” in stock.")
        shelf.on_hand -= item.quantity
        shelf.save(update_fields=["on_hand"])
