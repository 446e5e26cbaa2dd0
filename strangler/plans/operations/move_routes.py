"""MoveRoutes: reads go over in steps, then ownership and writes, in one switch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace

from strangler.errors import StranglerError
from strangler.plans.errors import PlanError
from strangler.plans.operations.base import Operation, freeze
from strangler.plans.patterns import Relation, check_pattern, relate
from strangler.plans.state import PlanKey, ProjectState, Routed
from strangler.plans.world import Mover, World
from strangler.split.spec import Side
from strangler.split.status import Routing

ALL_READS = 10_000
STALE_SECONDS = 5.0
"""A canary ends where the service's rows cannot be brought up to the owner's in this time."""
WATCH_EVERY = 0.25


@dataclass(frozen=True)
class MoveRoutes(Operation):
    """Let the service answer routes: a growing share of the reads first, then everything, with the ownership."""

    patterns: tuple[str, ...]
    _: KW_ONLY
    canary: tuple[int, ...] = (100, 1_000, ALL_READS)
    """Shares of the reads before the switch, in ten-thousandths, ascending."""
    hold: float = 2.0
    """Seconds for which each share is watched."""
    overlapping: tuple[str, ...] = ()
    """Patterns of other plans that these may lie inside or around; the more specific one wins."""

    def __post_init__(self) -> None:
        for name in ("patterns", "canary", "overlapping"):
            freeze(self, name, getattr(self, name))
        for pattern in self.patterns:
            check_pattern(pattern)
        steps = self.canary
        if list(steps) != sorted(set(steps)) or not all(0 < weight <= ALL_READS for weight in steps):
            raise ValueError(f"canary {list(steps)} must ascend from 1 to {ALL_READS} at most, in ten-thousandths")

    def describe(self) -> str:
        return f"Move routes {', '.join(self.patterns)}"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        if not self.patterns:
            raise PlanError("MoveRoutes names no route; name at least one")
        if not state.moved_by(plan.name):
            raise PlanError("put MoveTables before MoveRoutes; a service answers for tables that it owns")
        if state.routed_by(plan.name):
            raise PlanError("a plan moves its routes at once; name them all in one MoveRoutes")
        routed = state.routed
        for pattern in self.patterns:
            for other in routed:
                self._check_pair(pattern, other, plan)
            routed = (*routed, Routed(plan=plan.name, service=plan.service, pattern=pattern))
        return replace(state, routed=routed)

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        for pattern in self.patterns:
            yield f"-- proxies: {pattern} belongs to move {world.plan.name}"
        for weight in self.canary:
            yield f"-- proxies: {weight / 100:g}% of the reads to {world.plan.service}, for {self.hold:g} s"
        yield f"-- both databases and the proxies: switch ownership of {world.plan.name} to {world.plan.service}"

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield f"-- both databases and the proxies: switch ownership of {world.plan.name} back to the monolith"
        yield f"-- proxies: no reads to {world.plan.service}"

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        move = world.move(after)
        move.recover(world.traffic, world.on_step)
        if _routing(move).owner is Side.TARGET:
            return
        if refusal := next(world.databases.unseen(), None):
            raise PlanError(refusal)
        for weight in self.canary:
            self._step(world, move, weight)
        _switch(world, move, Side.TARGET)

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        move = world.move(after)
        move.recover(world.traffic, world.on_step)
        if _routing(move).owner is Side.TARGET:
            _switch(world, move, Side.SOURCE)
        _take_reads_back(world, move)

    def _step(self, world: World, move: Mover, weight: int) -> None:
        """Give the service a share of the reads while it is fit to answer; else take all of them back."""
        try:
            _watch(world, move, 0)
            _set_weight(world, move, weight)
            # Unlike a switch, a canary has no fence to rely on: every proxy must have the table.
            world.publish_routes()
            world.emit("step", step="acknowledged", weight=weight)
            _watch(world, move, self.hold)
        except StranglerError as error:
            _take_reads_back(world, move)
            raise PlanError(f"the canary at {weight / 100:g}% failed, the owner answers all reads: {error}") from error

    def _check_pair(self, pattern: str, other: Routed, plan: PlanKey) -> None:
        relation = relate(pattern, other.pattern)
        if relation is Relation.APART:
            return
        if relation is Relation.SAME:
            raise PlanError(
                f'route "{pattern}" would have two owners, plan "{other.plan}" (as "{other.pattern}") and '
                f'plan "{plan.name}"; remove it from one'
            )
        nested = relation is not Relation.CROSSING and other.plan != plan.name
        if nested and other.pattern in self.overlapping:
            return
        advice = f'name "{other.pattern}" in "overlapping" if that is meant' if nested else "remove one of them"
        raise PlanError(f'routes "{pattern}" and "{other.pattern}" (plan "{other.plan}") overlap; {advice}')


def _watch(world: World, move: Mover, seconds: float) -> None:
    """See, again and again, that the service is fit to answer and that what it answers is not old."""
    deadline = time.monotonic() + seconds
    while True:
        move.catch_up(STALE_SECONDS)
        world.gate()
        if time.monotonic() >= deadline:
            return
        time.sleep(min(WATCH_EVERY, seconds))


def _routing(move: Mover) -> Routing:
    routing = move.routing()
    if routing is None:
        raise PlanError("the move is not set up in the databases any more; go back behind MoveTables and start again")
    return routing


def _set_weight(world: World, move: Mover, weight: int) -> None:
    world.emit("step", step="reads", weight=weight)
    routing = move.set_weight(weight)
    world.emit("step", step="publish", weight=weight, term=routing.term, n=routing.n)


def _take_reads_back(world: World, move: Mover) -> None:
    if _routing(move).weight:
        _set_weight(world, move, 0)
        routing = _routing(move)
        world.traffic.publish(routing.owner, routing.term, routing.n, routing.weight)


def _switch(world: World, move: Mover, to: Side) -> None:
    try:
        report = move.switch(to, world.traffic, world.on_step)
    except StranglerError as error:
        if _routing(move).owner is not to:
            _take_reads_back(world, move)
        raise PlanError(f"the switch to the {to} was not finished: {error}") from error
    world.emit("step", step="switched", to=to.value, term=report.term, pause_ms=round(report.pause_ms, 1))
