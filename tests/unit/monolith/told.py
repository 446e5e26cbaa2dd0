"""Events as they come in, for the tests of those who take them."""

from uuid import uuid4


def told(type, user, *, version=1, event=None, **data):
    return {
        "event": str(event or uuid4()),
        "type": type,
        "version": version,
        "at": "2026-01-01T10:00:00+00:00",
        "traceparent": "",
        "subject": f"user:{user.pk}",
        "data": {"user_id": user.pk, **data},
    }


def placed(user, order="0B7E5A34", **more):
    return told("order.placed", user, order=order, total="€ 37.50", **more)


def shipped(user, order="0B7E5A34", **more):
    return told("order.shipped", user, order=order, **more)
