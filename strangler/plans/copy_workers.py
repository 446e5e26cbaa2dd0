"""Celery workers that are asked to help with a copy, on as many hosts as they run on. None of them is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from strangler.plans.tasks import CeleryTasks

TASK = "strangler.copy"


@dataclass(frozen=True, kw_only=True)
class CopyWorkers:
    """So many messages for one plan: each makes a worker join in, whenever it comes to it. None is waited for."""

    plan: str
    app: str = ""
    queue: str | None = None
    count: int = 0

    def __call__(self) -> Mapping[str, object]:
        """Ask them; what was asked, in facts for the record, or nothing. Raises PlanError where there is no such app.

        A broker that does not answer is no reason not to copy.
        """
        if not self.count:
            return {}
        app = CeleryTasks.load(self.app).app
        from kombu.exceptions import OperationalError  # noqa: PLC0415 - where the project has Celery

        try:
            with app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=5)
                for _ in range(self.count):
                    app.send_task(
                        TASK, (self.plan,), queue=self.queue, connection=connection, retry=False, ignore_result=True
                    )
        except OperationalError as error:
            return {"workers": 0, "because": f"the broker does not answer: {error}"}
        return {"workers": self.count, "queue": self.queue or app.conf.task_default_queue}
