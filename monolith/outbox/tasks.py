from celery import shared_task

from monolith.outbox.destination import destination
from monolith.outbox.relay import forget_sent, relay_all
from monolith.tasks import RetryingTask


@shared_task(name="outbox.relay", base=RetryingTask)
def relay():
    """Hand on what `relay_events`, or the request that it happened in, has not; and clear up."""
    forget_sent()
    return relay_all(destination())
