"""What a person reads of an event; pure."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Text:
    """`urgent`: sent at once, by whoever takes the event."""

    subject: str
    body: str
    urgent: bool = False


def rendered(event, *, name):
    """The text of an event that a person is told of, for the person called `name`. ValueError where data lacks."""
    try:
        return _TEXTS[event.type](event.data, name)
    except KeyError as error:
        raise ValueError(f'event "{event.event}" of "{event.type}" lacks {error}') from error


_TEXTS = {
    "account.registered": lambda data, name: Text(
        subject="Welcome to Orchard", body=f"Good to have you, {name}.", urgent=True
    ),
    "order.placed": lambda data, name: Text(
        subject=f"Your order {data['order']}", body=f"We have received {data['total']} for your order."
    ),
    "order.shipped": lambda data, name: Text(
        subject=f"Order {data['order']} is on its way", body="It left our warehouse."
    ),
}
