from celery import shared_task

from monolith.tasks import RetryingTask
from monolith.workflow.engine import advance


@shared_task(name="orders.fulfil", base=RetryingTask)
def fulfil(order_id):
    """Take the order's workflow as far as it goes now; the engine's own runs do the rest."""
    advance("fulfilment", subject=order_id)
