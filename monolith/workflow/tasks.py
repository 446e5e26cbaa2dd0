from celery import shared_task

from monolith.tasks import RetryingTask
from monolith.workflow.engine import run_due


@shared_task(name="workflow.run", base=RetryingTask)
def run():
    return run_due()
