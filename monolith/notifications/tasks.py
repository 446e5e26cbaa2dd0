from celery import shared_task

from monolith.notifications import services
from monolith.tasks import RetryingTask


@shared_task(name="notifications.send_queued", base=RetryingTask)
def send_queued():
    return services.send_queued()
