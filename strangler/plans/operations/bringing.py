"""One move brings all that a plan carries to the service, and keeps it there: what operations share of that."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.plans.errors import PlanError
from strangler.plans.state import ProjectState
from strangler.plans.telling import CopyTeller
from strangler.plans.world import World

CATCH_UP_SECONDS = 300.0


def effects(world: World, after: ProjectState) -> Iterator[str]:
    """Every effect that `bring` would have, a line each. This is a read-only operation."""
    yield f"-- both databases: set up move {world.plan.name}"
    yield from world.move(after).effects()
    for entry in after.replicated_by(world.plan.name):
        yield f"-- copy {after.schema.model(entry.model).table} ({', '.join(entry.columns)})"
    for moved in after.moved_by(world.plan.name):
        yield f"-- copy {after.schema.model(moved.model).table}{moved.condition}"
    yield "-- catch up, then compare both sides row by row"


def undo_effects(world: World, after: ProjectState) -> Iterator[str]:
    """The same of `take_back`."""
    yield f"-- both databases: drop the captures, fences and claims of {world.plan.name}"
    for moved in after.moved_by(world.plan.name):
        yield f"-- {world.plan.service}: empty {after.schema.model(moved.model).table}{moved.condition}"
    for entry in after.replicated_by(world.plan.name):
        yield f"-- {world.plan.service}: empty {after.schema.model(entry.model).table}"


def bring(world: World, after: ProjectState) -> None:
    """Set the move up, copy, catch up, verify; what was interrupted is finished."""
    move = world.move(after)
    for warning in move.create():
        world.emit("step", step="warning", what=warning)
    world.emit("step", step="created")
    if asked := world.ask_workers():
        world.emit("step", step="workers asked", **asked)
    teller = CopyTeller(world.emit)
    move.copy(teller)
    teller.flush()
    world.emit("step", step="copied")
    move.catch_up(CATCH_UP_SECONDS)
    world.emit("step", step="caught up")
    verification = move.verify()
    world.emit("step", step="verified", equal=verification.equal, rows=verification.rows, verdict=str(verification))
    if not verification.equal:
        raise PlanError(f"the two sides differ: {verification}; run the plan again or go back")


def take_back(world: World, after: ProjectState) -> None:
    """Give the move up, and empty the service of what it brought."""
    world.move(after).cancel()
    world.emit("step", step="cancelled")
