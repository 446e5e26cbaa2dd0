"""The cutover, as docs/protocol.md has it. Read it from the top; the order of the steps is the safety.

The two databases' ownership rows decide everything. Every change of one is a compare-and-set against the picture
taken first; whoever loses one stops, takes a new picture and recovers. The routes only follow.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from strangler.split.applier import catch_up
from strangler.split.errors import Busy, CasFailed, Refused, SplitError, StatementFailed
from strangler.split.layout import Pair
from strangler.split.limits import Limits
from strangler.split.ownership import Picture, compare_and_set, remember_peers, take_picture
from strangler.split.recent import forget, unverified
from strangler.split.spec import MoveSpec, Side
from strangler.split.store import Compared, SequenceFloor, Store
from strangler.split.stream import Stream, log_end
from strangler.split.verification import Verification, verify_keys


class Step(enum.StrEnum):
    """Where a cutover stands; announced before the step's effect."""

    PICTURE = "picture"  # both ownership rows are read
    GATES = "gates"  # everything that would refuse the switch is looked at
    HOLD = "hold"  # the proxies hold new writes
    FENCE = "fence"  # the old owner stops to own, and its tables refuse writers
    CATCH_UP = "catch_up"  # the new owner gets the last changes
    VERIFY = "verify"  # what changed since the last verification is compared
    COMMIT = "commit"  # the new owner owns: from here there is only forward
    PUBLISH = "publish"  # the routes follow
    DONE = "done"  # nothing is left to do
    BACK_BUMP = "back_bump"  # going back: the other side's epoch moves, so that no sleeper can commit there
    BACK_OPEN = "back_open"  # going back: the last owner owns again
    REFENCE = "refence"  # a stable owner's epoch moves: it ends sleepers whose gates are stale


OnStep = Callable[[Step, Mapping[str, Any]], None]


class Traffic(Protocol):
    """What the cutover asks of those who route requests. None of it is needed for safety."""

    def hold(self, seconds: float) -> None:
        """Let new writes wait, for so long at most."""

    def release(self) -> None:
        """Let the waiting writes go to whom the routes name."""

    def publish(self, owner: Side, term: int, n: int, weight: int) -> None:
        """Send requests to the owner, and that share (0-10000) of the reads to the other side."""


class Unclear(SplitError):
    """Somebody else was here, or the outcome of a statement is unknown: recover, with new connections."""


class SwitchAborted(SplitError):
    """A switch began and went back; nothing is lost, and the last owner owns again."""


@dataclass(frozen=True, kw_only=True)
class SwitchReport:
    """A switch that was made."""

    owner: Side
    term: int
    pause_ms: float  # from asking for the fence to the commit: no write was taken anywhere
    changes: int  # keys that were compared while fenced
    verified: Verification

    def __str__(self) -> str:
        return f"the {self.owner} owns since term {self.term}; writes paused {self.pause_ms:.0f} ms, {self.verified}"


@dataclass(kw_only=True)
class Cutover:
    """One attempt's collaborators. "gates" gives the refusals; the streams' receivers are the appliers'."""

    spec: MoveSpec
    source: Store
    target: Store
    streams: Mapping[Side, Stream]  # by their origin
    pairs: tuple[Pair, ...]  # the moved tables
    traffic: Traffic
    gates: Callable[[Picture, Side], list[str]]
    on_step: OnStep
    limits: Limits = field(default_factory=Limits)

    def switch(self, to: Side) -> SwitchReport:
        """Make the side "to" the owner.

        Raises Refused when a gate says no (nothing changed), SwitchAborted when it went back, and Unclear when only
        a new picture can tell.
        """
        old, new = self._store(to.other), self._store(to)

        self.on_step(Step.PICTURE, {})
        picture = take_picture(self.source, self.target, self.spec.name)
        remember_peers(self.source, self.target, self.spec.name, picture)
        if picture.owner is not to.other:
            raise Refused(f'move "{self.spec.name}" cannot be switched to the {to}: {picture}; {_way_out(picture, to)}')

        self.on_step(Step.GATES, {"epochs": [picture.source.epoch, picture.target.epoch], "term": picture.term})
        if reasons := self.gates(picture, to):
            raise Refused(f'move "{self.spec.name}" is not switched to the {to}: {"; ".join(reasons)}')

        began = self._hold_and_fence(old, picture, to)
        try:
            # The log's end is read after the fence has committed: nothing can come behind it.
            goal = log_end(old, self.spec.name)
            self.on_step(Step.CATCH_UP, {"log_end": goal})
            catch_up(self.streams[to.other], goal, time.monotonic() + self.limits.catch_up)

            self.on_step(Step.VERIFY, {})
            recent = unverified(self.source, self.target, self.spec.name)
            if not recent.complete:
                raise SplitError("more keys came behind the gates than can be compared while nobody writes")
            verified = verify_keys(self.source, self.target, self.pairs, recent.keys)
            if not verified.equal:
                raise SplitError(f"the sides differ after catching up: {verified}")

            self.on_step(Step.COMMIT, {"verified": verified.rows})
            floors = sequence_floors(self.source, self.target, self.pairs, new=to)
            term = picture.term + 1
            # Not behind rows that an applier has brought since: nobody has compared those.
            compared = Compared(tables=tuple(pair.name for pair in self.pairs), batch=recent.batches[to])
            seen = picture.of(to)
            compare_and_set(new, self.spec.name, seen, owns=True, term=term, sequences=floors, compared=compared)
        except Exception as error:
            # Also where the outcome of the commit is unknown: the compare-and-set of going back decides it.
            self._go_back(picture, to)
            raise SwitchAborted(
                f'move "{self.spec.name}" stays with the {to.other}: {_sentence(error)}; nothing is lost, try again '
                "when the cause is gone"
            ) from error
        pause = (time.monotonic() - began) * 1000

        self.on_step(Step.PUBLISH, {"owner": to.value, "term": term, "pause_ms": round(pause, 1)})
        self.traffic.publish(to, term, 0, 0)
        with suppress(StatementFailed):
            # What stays noted is only compared once more; the switch is made.
            forget(self.source, self.target, self.spec.name, recent.batches)
        self.on_step(Step.DONE, {"owner": to.value, "term": term})
        return SwitchReport(owner=to, term=term, pause_ms=pause, changes=verified.rows, verified=verified)

    def recover(self) -> Picture:
        """Bring a move to rest that an executor left anywhere: go back before the commit point, publish after it."""
        self.on_step(Step.PICTURE, {"recovering": True})
        picture = take_picture(self.source, self.target, self.spec.name)
        owner = picture.last_owner
        if picture.owner is None:
            picture = self._back(picture, owner)
        else:
            self.on_step(Step.REFENCE, {"owner": owner.value})
            seen = picture.of(owner)
            # Published from the one picture: a switch after it has routes of its own.
            picture = picture.replaced(compare_and_set(self._store(owner), self.spec.name, seen, owns=True))
        self._publish(owner, picture.term)
        return picture

    def _hold_and_fence(self, old: Store, picture: Picture, to: Side) -> float:
        """Fence the old owner; the time.monotonic() at which it was fenced. A lock that is not had is tried again."""
        for attempt in range(1, self.limits.fence_attempts + 1):
            self.on_step(Step.HOLD, {"attempt": attempt})
            self.traffic.hold(self.limits.hold)
            self.on_step(Step.FENCE, {"attempt": attempt})
            began = time.monotonic()
            try:
                compare_and_set(old, self.spec.name, picture.of(to.other), owns=False)
            except Busy as error:
                # The statement was rolled back: nothing has changed.
                self.traffic.release()
                if attempt == self.limits.fence_attempts:
                    raise SwitchAborted(
                        f'move "{self.spec.name}" stays with the {to.other}: writers, or a vacuum, kept its '
                        f"tables locked longer than {self.limits.lock:g} s, {attempt} times; look for long "
                        "transactions, or allow more"
                    ) from error
                time.sleep(self.limits.fence_pause)
            except (CasFailed, StatementFailed) as error:
                raise Unclear(_sentence(error)) from error
            else:
                return began
        raise AssertionError("at least one attempt is made")

    def _go_back(self, picture: Picture, to: Side) -> None:
        """The old owner owns again. It goes by this attempt's picture; whoever was here meanwhile makes it unclear."""
        seen = picture.of(to.other)
        fenced = picture.replaced(replace(seen, epoch=seen.epoch + 1, owns=False))
        try:
            after = self._back(fenced, to.other)
        except (CasFailed, StatementFailed) as error:
            raise Unclear(_sentence(error)) from error
        self._publish(to.other, after.term)

    def _back(self, picture: Picture, owner: Side) -> Picture:
        # The other side first: an executor that sleeps before its commit there must find another epoch.
        self.on_step(Step.BACK_BUMP, {"side": owner.other.value})
        other = compare_and_set(self._store(owner.other), self.spec.name, picture.of(owner.other), owns=False)
        self.on_step(Step.BACK_OPEN, {"side": owner.value})
        mine = compare_and_set(self._store(owner), self.spec.name, picture.of(owner), owns=True, term=picture.term + 1)
        return picture.replaced(other).replaced(mine)

    def _publish(self, owner: Side, term: int) -> None:
        self.on_step(Step.PUBLISH, {"owner": owner.value, "term": term})
        self.traffic.publish(owner, term, 0, 0)
        self.traffic.release()
        self.on_step(Step.DONE, {"owner": owner.value, "term": term})

    def _store(self, side: Side) -> Store:
        return self.source if side is Side.SOURCE else self.target


def sequence_floors(source: Store, target: Store, pairs: tuple[Pair, ...], *, new: Side) -> list[SequenceFloor]:
    """For each sequence of the new owner's tables the highest number that either side has given out. Read-only."""
    floors = []
    for pair in pairs:
        mine, theirs = source.last_numbers(pair.source), target.last_numbers(pair.target)
        there = mine if new is Side.SOURCE else theirs
        for column in there:
            highest = max(mine.get(column, 0), theirs.get(column, 0))
            if highest > there[column]:
                floors.append(SequenceFloor(relation=pair.of(new).relation, attribute=column, at_least=highest))
    return floors


def _way_out(picture: Picture, to: Side) -> str:
    if picture.owner is to:
        return "there is nothing to do"
    return "recover it first"


def _sentence(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
