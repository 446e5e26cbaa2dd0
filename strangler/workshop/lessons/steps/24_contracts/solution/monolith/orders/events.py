"""What is told of an order, as `docs/events/` promises it; pure. Each is what `outbox.services.emit` takes."""


def placed(order):
    # The accounts want amount and currency apart.
    return _event("order.placed", order, {"total": f"€ {order.total}", "amount": str(order.total), "currency": "EUR"})


def shipped(order):
    return _event("order.shipped", order, {})


def _event(type, order, more):
    data = {"user_id": order.customer_id, "order": order.short_number, **more}
    return {"type": type, "version": 1, "subject": f"user:{order.customer_id}", "data": data}
