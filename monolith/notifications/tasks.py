from celery import shared_task

from monolith.notifications import sending
from monolith.tasks import RetryingTask


@shared_task(name="notifications.send_queued", base=RetryingTask)
def send_queued():
    return sending.send_queued()
