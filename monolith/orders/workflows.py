"""How an order gets to its customer, as steps of the workflow engine."""

from monolith.orders.events import shipped
from monolith.orders.models import Order
from monolith.outbox.services import emit
from monolith.workflow.engine import Done, Next, step


@step("fulfilment", "start")
def pack(order_id):
    order = Order.objects.get(pk=order_id)
    order.status = Order.Status.PACKED
    order.save(update_fields=["status"])
    return Next("packed", after_seconds=5)


@step("fulfilment", "packed")
def ship(order_id):
    order = Order.objects.get(pk=order_id)
    order.status = Order.Status.SHIPPED
    order.save(update_fields=["status"])
    if order.customer_id:
        emit(**shipped(order))
    return Done()
