"""How Orchard's tasks retry, belong to a trace, and are enqueued after a commit."""

import logging
import time

from celery import Task
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from kombu.exceptions import OperationalError as BrokerError

from monolith import tracing

logger = logging.getLogger(__name__)

REFUSED = "SF001"
"""SQLSTATE of a write to a table that is not writable here at the moment; trying again later is right."""


class RetryingTask(Task):
    """A task that is tried again with growing pauses while its database or a service is away."""

    acks_late = True
    max_retries = 8
    transient = (OperationalError, InterfaceError, ConnectionError)

    def __call__(self, *args, **kwargs):
        with tracing.continuing(""):
            return self._logged(*args, **kwargs)

    def _logged(self, *args, **kwargs):
        started, state = time.perf_counter(), "failed"
        try:
            result = super().__call__(*args, **kwargs)
            state = "done"
            return result
        except Exception as error:
            if not self._passes(error):
                raise
            state = "to be tried again"
            raise self.retry(exc=error, countdown=min(2**self.request.retries, 60)) from error
        finally:
            milliseconds = round((time.perf_counter() - started) * 1000, 1)
            logger.info("task", extra={"task": self.name, "state": state, "milliseconds": milliseconds})

    def _passes(self, error):
        refused = isinstance(error, DatabaseError) and getattr(error.__cause__, "sqlstate", None) == REFUSED
        return refused or isinstance(error, self.transient)


def enqueue_on_commit(task, *args):
    """Enqueue `task` once the current transaction has committed.

    A broker that is away is logged and otherwise ignored: the work is committed and acknowledged, so the
    request must not fail; every task enqueued this way is also found by a periodic sweep.
    """

    def send():
        try:
            task.delay(*args)
        except (BrokerError, OSError) as error:
            logger.warning("task not enqueued, left to the sweep", extra={"task": task.name, "reason": str(error)})

    transaction.on_commit(send)
