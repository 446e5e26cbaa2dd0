"""The Celery application of a project, as far as moving a task needs it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import import_string

from strangler import task_routes
from strangler.plans.errors import PlanError

_ROUTER = f"{task_routes.route.__module__}.{task_routes.route.__qualname__}"
_DESTINATION = {"queue", "routing_key", "exchange"}
"""What overrides a route where a task or a schedule names it."""
_REPLY_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class CeleryTasks:
    """Implements `strangler.plans.world.Tasks`."""

    app: Any
    name: str

    @classmethod
    def load(cls, path: str) -> CeleryTasks:
        """The application at a dotted path. Raises PlanError."""
        try:
            app = import_string(path)
        except ImportError as error:
            raise PlanError(f'there is no Celery application "{path}": {error}') from error
        app.loader.import_default_modules()
        return cls(app=app, name=path)

    def refusals(self, task: str, queue: str) -> Iterator[str]:
        """Why the task cannot be sent to that queue, a sentence each. This is a read-only operation."""
        known = self.app.tasks.get(task)
        if known is None:
            yield f'"{self.name}" has no task "{task}"; correct its name in the plan'
            return
        if not known.acks_late:
            yield (
                f'task "{task}" is acknowledged before it runs, so that a worker which is refused or stopped in the '
                "middle loses it; set its acks_late to True"
            )
        if any(getattr(known, name, None) for name in _DESTINATION):
            yield f'task "{task}" names its queue itself, which no route can change; take that out of its decorator'
        for name, entry in (self.app.conf.beat_schedule or {}).items():
            if entry.get("task") == task and entry.get("options", {}).keys() & _DESTINATION:
                yield f'the schedule "{name}" names a queue for task "{task}" itself; take it out of its options'
        if not self._asks_us():
            yield f'the task_routes of "{self.name}" do not begin with "{_ROUTER}"; put it there'
        yield from self._unfit_workers(task, queue)

    def queue_of(self, task: str) -> str:
        """The queue to which the task is sent now."""
        return str(self.app.amqp.router.route({}, task)["queue"].name)

    def held(self, task: str, queue: str) -> Counter[str]:
        """How many messages of the task a queue and its consumers still hold, by where. A read-only operation.

        Redis and Valkey say it exactly, what dead workers took included. Of other brokers all that waits in the queue
        counts, whatever its task, and what the living workers say of themselves. Raises PlanError where one is silent.
        """
        with self.app.connection_for_read() as connection:
            channel = connection.default_channel
            if connection.transport.driver_type == "redis":
                return +_held_by_redis(channel, task, queue, self.app.amqp.queues[queue].routing_key)
            try:
                waiting = self.app.amqp.queues[queue](channel).queue_declare(passive=True).message_count
            except connection.channel_errors as error:
                if "NOT_FOUND" not in str(error):
                    raise
                waiting = 0
        return Counter(waiting=waiting) + self.held_by_workers(task, queue)

    def held_by_workers(self, task: str, queue: str) -> Counter[str]:
        """How many messages of the task the living consumers of a queue have taken. A read-only operation."""
        found: Counter[str] = Counter()
        workers = self._workers(queue)
        if not workers:
            return found
        inspect = self.app.control.inspect(destination=list(workers), timeout=_REPLY_SECONDS)
        for where in ("active", "reserved", "scheduled"):
            answers: Mapping[str, list[Any]] = getattr(inspect, where)() or {}
            for worker in workers:
                if worker not in answers:
                    raise PlanError(f'worker "{worker}" of queue "{queue}" does not answer; see what it does')
                requests = (entry.get("request", entry) for entry in answers[worker])
                found[where] += sum(request.get("name") == task for request in requests)
        return +found

    def _asks_us(self) -> bool:
        routes = self.app.conf.task_routes or ()
        first = routes[0] if isinstance(routes, (list, tuple)) and routes else routes
        return first == _ROUTER or first is task_routes.route

    def _unfit_workers(self, task: str, queue: str) -> Iterator[str]:
        workers = self._workers(queue)
        if not workers:
            yield f'no worker consumes queue "{queue}"; start one'
            return
        inspect = self.app.control.inspect(destination=list(workers), timeout=_REPLY_SECONDS)
        known: Mapping[str, list[str]] = inspect.registered() or {}
        for worker in workers:
            # A rate limit is said behind the name.
            if task not in {entry.partition(" ")[0] for entry in known.get(worker, ())}:
                yield f'worker "{worker}" of queue "{queue}" does not know task "{task}"; deploy the task to it first'
        if both := sorted(workers & self._workers(self.queue_of(task))) if self.queue_of(task) != queue else []:
            yield f'worker "{both[0]}" consumes both queues of task "{task}"; give each consumer one'

    def _workers(self, queue: str) -> set[str]:
        answers: Mapping[str, list[Mapping[str, Any]]]
        answers = self.app.control.inspect(timeout=_REPLY_SECONDS).active_queues() or {}
        return {worker for worker, queues in answers.items() if any(entry["name"] == queue for entry in queues)}


def _held_by_redis(channel: Any, task: str, queue: str, routing_key: str) -> Counter[str]:
    keys = (channel._q_for_pri(queue, priority) for priority in channel.priority_steps)
    waiting = (json.loads(text) for key in keys for text in channel.client.lrange(key, 0, -1))
    taken = (json.loads(text) for text in channel.client.hvals(channel.unacked_key))
    return Counter(
        waiting=sum(message["headers"].get("task") == task for message in waiting),
        taken=sum(message["headers"].get("task") == task and key == routing_key for message, _, key in taken),
    )
