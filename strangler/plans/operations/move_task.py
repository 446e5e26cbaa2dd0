"""MoveTask: a Celery task goes to another queue, whose consumer is the service's worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace

from strangler.plans.databases import MONOLITH
from strangler.plans.errors import PlanError
from strangler.plans.operations.base import Operation
from strangler.plans.state import MovedTask, PlanKey, ProjectState
from strangler.plans.world import Tasks, World
from strangler.split.store import Store
from strangler.task_routes import KEPT_SECONDS

_INSERT = "INSERT INTO strangler.task_routes (task, plan, queue, was) VALUES (%s, %s, %s, %s)"
_DELETE = "DELETE FROM strangler.task_routes WHERE task = %s AND plan = %s"
_SETTLED = KEPT_SECONDS + 1.0
"""Seconds after which no sender goes by an older answer, and what it was sending then has arrived."""
_LOOK_EVERY = 0.5


@dataclass(frozen=True)
class MoveTask(Operation):
    """Send a task to the service's queue, then wait until the old consumer holds no message of it.

    The route is a row in the monolith's database; `strangler.task_routes.route`, first in the Celery application's
    task_routes, asks for it and keeps the answer for a second. Once it has changed, new messages go to the service;
    the operation is done only when what went to the old queue before is worked off: until then both consumers run
    the task, each its own messages. Going back does the same the other way.
    """

    task: str
    _: KW_ONLY
    queue: str
    app: str
    """Dotted path of the monolith's Celery application."""
    patience: float = 60.0
    """Seconds for which the old consumer is waited for."""

    def describe(self) -> str:
        return f"Move task {self.task} to queue {self.queue}"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        if other := next((entry for entry in state.tasks if entry.task == self.task), None):
            raise PlanError(f'task "{self.task}" has moved already, with plan "{other.plan}"; name it once')
        if state.moved_by(plan.name) and not state.routed_by(plan.name):
            raise PlanError("put MoveTask behind MoveRoutes; until then the service's database refuses its writes")
        moved = MovedTask(plan=plan.name, service=plan.service, task=self.task, queue=self.queue)
        return replace(state, tasks=(*state.tasks, moved))

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        tasks = world.tasks(self.app)
        yield from (f"-- would be refused now: {refusal}" for refusal in tasks.refusals(self.task, self.queue))
        yield f"-- {MONOLITH}: a row of strangler.task_routes sends {self.task} to queue {self.queue}"
        yield f"-- wait until no consumer of the old queue holds a message of {self.task}"

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield f"-- {MONOLITH}: the row of strangler.task_routes for {self.task} goes"
        yield f"-- wait until no consumer of queue {self.queue} holds a message of {self.task}"

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        tasks = world.tasks(self.app)
        with world.databases.connect(MONOLITH) as store:
            was = _old_queue(store, world.plan.name, self.task)
            if was is None:
                was = self._check(tasks, self.queue)
                store.create_plan_tables(world.databases.user(MONOLITH))
                store.execute(_INSERT, (self.task, world.plan.name, self.queue, was))
        world.emit("step", step="routed", queue=self.queue, was=was)
        self._wait_for(world, tasks, was)

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        tasks = world.tasks(self.app)
        with world.databases.connect(MONOLITH) as store:
            was = _old_queue(store, world.plan.name, self.task)
            if was is not None:
                self._check(tasks, was)
                store.execute(_DELETE, (self.task, world.plan.name))
        world.emit("step", step="routed back", was=self.queue)
        self._wait_for(world, tasks, self.queue)

    def _check(self, tasks: Tasks, queue: str) -> str:
        """The queue that the task has now. Raises PlanError, with no effect, where it cannot have the other."""
        if refusal := next(iter(tasks.refusals(self.task, queue)), None):
            raise PlanError(refusal)
        now = tasks.queue_of(self.task)
        if now == queue:
            raise PlanError(f'task "{self.task}" is sent to queue "{queue}" already; name the service\'s queue')
        return now

    def _wait_for(self, world: World, tasks: Tasks, queue: str) -> None:
        """See the old consumer's last message gone, after the last one was sent to it."""
        time.sleep(_SETTLED)
        deadline = time.monotonic() + self.patience
        while held := tasks.held(self.task, queue):
            if time.monotonic() > deadline:
                where = ", ".join(f"{count} {state}" for state, count in sorted(held.items()))
                raise PlanError(
                    f'queue "{queue}" or its consumer still holds messages of task "{self.task}" ({where}); '
                    "run the plan again to go on waiting, or go back"
                )
            time.sleep(_LOOK_EVERY)
        world.emit("step", step="worked off", queue=queue)


def _old_queue(store: Store, plan: str, task: str) -> str | None:
    """The queue before, where an earlier run has moved the task already. Raises PlanError where another plan has."""
    if not store.has_tables("task_routes"):
        return None
    rows = store.query("SELECT plan, was FROM strangler.task_routes WHERE task = %s", (task,))
    if rows and rows[0][0] != plan:
        raise PlanError(f'task "{task}" was moved by plan "{rows[0][0]}"; undo that one first')
    return str(rows[0][1]) if rows else None
