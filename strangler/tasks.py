"""The toolkit's Celery task. `autodiscover_tasks()` of the project finds it, and nothing else imports it."""

from celery import shared_task

from strangler.plans import wiring


@shared_task(name="strangler.copy", ignore_result=True)  # type: ignore[untyped-decorator]
def copy(plan: str) -> None:
    """Help to copy a plan's tables until they are copied; ends at once where they are not being copied."""
    wiring.help_to_copy(plan)
