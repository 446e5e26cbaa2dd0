"""What people may ask of a rollout, and when. Pure: it is asked by a wish, which the plan's executor hears."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from strangler.plans.operations import Operation
from strangler.plans.plan import Plan
from strangler.plans.standing import FORWARDS, Entry, Event, Position
from strangler.plans.watched import watched
from strangler.rollout.rollout import Asked, Wish
from strangler.split import Side
from strangler.split.status import Routing

PERMISSION = "strangler_dashboard.steer_rollouts"
"""Django's name of what strangler.dashboard.models declares; that module asks for the app to be installed."""


class Stage(enum.Enum):
    """Where a rollout is, as far as it can be steered."""

    SHARED = "shared"  # shadows or a canary: the service answers, or is asked for, some of the reads
    WATCHED = "watched"  # the service owns, and whether that lasts is not settled
    FROZEN = "frozen"  # the same, and a person has to settle it


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something that can be asked for, by a name that is typed into addresses, and what comes of it."""

    name: str
    wish: Wish
    promise: str


_PAUSE = Action(
    name="pause", wish=Wish.PAUSE, promise="It stays where it is, whatever the verdict, unless that is a failure."
)
_RESUME = Action(name="resume", wish=Wish.GO_ON, promise="It goes on, as the verdicts say.")
_PROMOTE = Action(
    name="promote",
    wish=Wish.PROMOTE,
    promise="It takes the next step, the switch where that is next, without waiting for a success. "
    "A failure is not overridden.",
)
_ABORT = Action(name="abort", wish=Wish.ABORT, promise="The owner answers all reads again, and the run ends.")
_LASTS = Action(name="promote", wish=Wish.PROMOTE, promise="The switch lasts: it is watched no longer.")
_REVERSE = Action(
    name="reverse",
    wish=Wish.ABORT,
    promise="The monolith owns and answers everything again, with all that the service has written, if the gates of a "
    "switch let it; where one refuses, the plan is frozen.",
)


def stage(plan: Plan, position: Position, entries: Iterable[Entry], routing: Routing | None) -> Stage | None:
    """Where the plan's rollout is; None where there is nothing that a wish could change."""
    entries = tuple(entries)
    started = [entry for entry in entries if entry.event == Event.STARTED]
    under_way = position.half_done and started and started[-1].direction == FORWARDS
    if routing is None or plan.routes is None or not under_way or _running(plan, started[-1]) != plan.routes:
        return None
    if routing.owner is Side.SOURCE:
        return Stage.SHARED if routing.weight or routing.shadow or routing.early else None
    stands = watched(entries, routing.term)
    if stands.frozen:
        return Stage.FROZEN
    return Stage.WATCHED if stands.began is not None and not stands.over else None


def actions(at: Stage | None, asked: Asked) -> tuple[Action, ...]:
    """What can be asked for there, where this was asked before."""
    held = _RESUME if asked.wish is Wish.PAUSE else _PAUSE
    match at:
        case Stage.SHARED:
            return held, _PROMOTE, _ABORT
        case Stage.WATCHED:
            return held, _LASTS, _REVERSE
        case Stage.FROZEN:
            return _LASTS, _REVERSE
    return ()


def _running(plan: Plan, entry: Entry) -> Operation | None:
    """The operation that an event is of; None where the plan has grown shorter since."""
    return next(iter(plan.operations[entry.index : entry.index + 1]), None)
