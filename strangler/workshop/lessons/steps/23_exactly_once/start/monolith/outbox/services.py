from monolith import tracing
from monolith.outbox.destination import destination
from monolith.outbox.models import Event
from monolith.outbox.relay import envelope


def emit(*, type, version, subject, data):
    """Tell at once that something happened."""
    event = Event(type=type, version=version, subject=subject, data=data, traceparent=tracing.current())
    destination()([envelope(event)])
    return event
