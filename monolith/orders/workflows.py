"""How an order gets to its customer, as steps of the workflow engine."""

from monolith.notifications.services import notify
from monolith.orders.models import Order
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
    if order.customer:
        notify(user=order.customer, subject=f"Order {order.short_number} is on its way", body="It left our warehouse.")
    return Done()
