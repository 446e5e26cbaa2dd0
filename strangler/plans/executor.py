"""Run plans forwards and backwards: one operation after the other, each between two recorded events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from strangler.plans.agreement import disagreement
from strangler.plans.errors import PlanError
from strangler.plans.plan import Plan
from strangler.plans.project import Project
from strangler.plans.recorder import PlanRecorder
from strangler.plans.standing import BACKWARDS, FORWARDS, Entry, Event
from strangler.plans.world import Emit, World


@dataclass(frozen=True, kw_only=True)
class PlanExecutor:
    """Brings one plan to a position; what was interrupted is finished or undone on the way.

    Everything that can be refused is refused before the first effect. After an error the plan stays where it is:
    the same call again goes on, the opposite one goes back.
    """

    project: Project
    recorder: Callable[[Plan], PlanRecorder]
    world: Callable[[Plan, Emit], World]
    lock: Callable[[str], AbstractContextManager[Callable[[], None]]]
    """Held while a plan runs; raises PlanError at once where somebody else holds it. What it yields is called before
    every event, and raises PlanError once the lock is lost."""
    announce: Callable[[Entry], object] = lambda entry: None
    """Told of every event after it is recorded."""

    def run(self, plan: Plan, to: int | None = None, *, final: bool = False) -> int:
        """Go to the state after `to` operations (default: all, the final ones only if `final`); returns how many ran.

        Raises PlanError, or whatever StranglerError an operation raised.
        """
        recorder = self.recorder(plan)
        self._check(plan, recorder, to, final=final)
        with self.lock(plan.name) as still_held:
            # Somebody may have run it since the first look.
            steps = self._check(plan, recorder, to, final=final)
            for index, direction in steps:
                self._run_operation(plan, recorder, index, direction, still_held)
            return len(steps)

    def effects(self, plan: Plan, to: int | None = None, *, final: bool = False) -> Iterator[str]:
        """What `run` would do, a line each. This is a read-only operation."""
        steps = self._check(plan, self.recorder(plan), to, final=final)
        states = self.project.states(plan.name)
        world = self.world(plan, _no_emit)
        for index, direction in steps:
            operation = plan.operations[index]
            forwards = direction == FORWARDS
            yield f"-- {index + 1}. {'' if forwards else 'Undo: '}{operation.describe()}"
            effects = operation.effects if forwards else operation.undo_effects
            yield from effects(world, states[index], states[index + 1])

    def _check(self, plan: Plan, recorder: PlanRecorder, to: int | None, *, final: bool) -> list[tuple[int, str]]:
        """Decide which operations run in which direction, or refuse."""
        position = recorder.position()
        if reason := disagreement(plan, recorder):
            raise PlanError(reason)
        count = len(plan.operations)
        if to is None:
            to = max(count if final else plan.reversible_length, position.highest)
        if not 0 <= to <= count:
            raise PlanError(f'plan "{plan.name}" has {count} operations; {to} is none of them')
        self.project.states(plan.name)
        if to >= position.highest:
            self._check_forwards(plan, position.lowest, to, final=final)
            return [(index, FORWARDS) for index in range(position.lowest, to)]
        self._check_backwards(plan, to, position.highest)
        back = [(index, BACKWARDS) for index in range(position.highest - 1, to - 1, -1)]
        # Only a merged record leaves something open below, too.
        return back + [(index, FORWARDS) for index in range(position.lowest, to)]

    def _check_forwards(self, plan: Plan, lowest: int, to: int, *, final: bool) -> None:
        for name in self.project.graph.needed_by(plan.name):
            needed = self.project.plan(name)
            if self.recorder(needed).position().lowest < needed.reversible_length:
                raise PlanError(f'plan "{plan.name}" needs plan "{name}" to be applied before; run that one first')
        for index in range(lowest, to):
            if plan.operations[index].final and not final:
                what = plan.operations[index].describe()
                raise PlanError(f'operation {index + 1} of plan "{plan.name}" ({what}) is final; add --final to run it')

    def _check_backwards(self, plan: Plan, to: int, highest: int) -> None:
        for index in range(to, highest):
            if not plan.operations[index].reversible:
                what = plan.operations[index].describe()
                raise PlanError(f'operation {index + 1} of plan "{plan.name}" ({what}) cannot be undone')
        for name in self.project.graph.needing(plan.name):
            if self.recorder(self.project.plan(name)).position().highest:
                raise PlanError(f'plan "{name}" needs plan "{plan.name}" and is applied; undo that one first')

    def _run_operation(
        self, plan: Plan, recorder: PlanRecorder, index: int, direction: str, still_held: Callable[[], None]
    ) -> None:
        operation = plan.operations[index]
        before, after = self.project.states(plan.name)[index : index + 2]
        digest = plan.digest(index + 1)

        def record(event: str, /, **facts: object) -> None:
            still_held()
            entry = recorder.append(
                Event(event),
                plan_hash=digest,
                index=index,
                operation=operation.describe(),
                direction=direction,
                facts=facts,
            )
            self.announce(entry)

        world = self.world(plan, record)
        record(Event.STARTED)
        try:
            run = operation.forwards if direction == FORWARDS else operation.backwards
            run(world, before, after)
        except Exception as error:
            record(Event.FAILED, error=str(error))
            raise
        record(Event.DONE)


def _no_emit(event: str, /, **facts: object) -> None:
    """A dry run records nothing."""
