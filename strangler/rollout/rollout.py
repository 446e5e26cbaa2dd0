"""Where the routes of a move stand between "planned" and "retired". Pure: nothing here asks or changes anything."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from strangler.rollout.verdict import Outcome, Verdict

ALL = 10_000
"""Weights are hundredths of a percent of the reads."""


class Phase(enum.StrEnum):
    """How far the candidate is trusted."""

    PLANNED = "planned"  # the owner answers everything
    SHADOW = "shadow"  # so it does, and copies of requests go to the candidate, whose answers are only compared
    CANARY = "canary"  # the candidate answers a share of the reads
    SWITCHED = "switched"  # the candidate owns: it answers everything, and one can still go back
    RETIRED = "retired"  # the way back is closed


class Wish(enum.StrEnum):
    """What a person asked for while it runs."""

    GO_ON = "go on"  # as the verdicts say
    PAUSE = "pause"  # stay where it is, whatever the verdict, unless it is failed
    PROMOTE = "promote"  # take the next step without waiting for success; a failure is not overridden
    ABORT = "abort"  # give the reads back


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A wish, and whose it is; nobody's where everything goes on as the verdicts say."""

    wish: Wish = Wish.GO_ON
    who: str = ""


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """A position on the way. "steps" are the canary's weights, ascending; with "shadow" shadows come first.

    "shadow" is the share of the owner's reads that are sent to the candidate as well, until the switch. With "early"
    some clients are the candidate's through all of the canary; a first step of 0 is theirs alone.
    """

    steps: tuple[int, ...]
    shadow: int = 0
    early: bool = False
    phase: Phase = Phase.PLANNED
    step: int = 0
    """In CANARY: which of the steps."""

    def __post_init__(self) -> None:
        lowest = 0 if self.early else 1
        if list(self.steps) != sorted(set(self.steps)) or not all(lowest <= weight <= ALL for weight in self.steps):
            raise ValueError(
                f"canary {list(self.steps)} must ascend from {lowest} to {ALL} at most, in ten-thousandths"
            )
        if self.early and not self.steps:
            raise ValueError("those who come early need a canary; give it steps, such as 0")
        if not 0 <= self.shadow <= ALL:
            raise ValueError(f"shadow {self.shadow} must lie between 0 and {ALL}, in ten-thousandths")
        if self.step and (self.phase is not Phase.CANARY or self.step >= len(self.steps)):
            raise ValueError(f"there is no step {self.step} of {len(self.steps)} in phase {self.phase}")

    @property
    def weight(self) -> int:
        """The candidate's share of the reads; of the side that does not own, once it has switched."""
        return self.steps[self.step] if self.phase is Phase.CANARY else 0

    @property
    def shadowed(self) -> int:
        """The share of the owner's reads that are shadowed now."""
        return self.shadow if self.phase in (Phase.SHADOW, Phase.CANARY) else 0

    @property
    def takes_early(self) -> bool:
        """Whether the candidate answers those who come early."""
        return self.early and self.phase is Phase.CANARY

    def __str__(self) -> str:
        return f"canary at {self.weight / 100:g}%" if self.phase is Phase.CANARY else str(self.phase)


def advance(rollout: Rollout, verdict: Verdict, *, soaked: bool, wish: Wish = Wish.GO_ON) -> Rollout:
    """Where it stands after this verdict.

    "soaked" is whether the step has lasted as long as the plan asks for. A failed verdict gives the reads back; once
    switched, PLANNED means that the ownership is to go back first, under its own gates. What is retired stays so.
    """
    if rollout.phase is Phase.RETIRED:
        return rollout
    if wish is Wish.ABORT or (verdict.outcome is Outcome.FAILED and rollout.phase is not Phase.PLANNED):
        return replace(rollout, phase=Phase.PLANNED, step=0)
    if rollout.phase is Phase.SWITCHED or verdict.outcome is Outcome.FAILED:
        return rollout  # only completing the move goes on from there, which is an operation of its own
    if wish is Wish.PROMOTE or (wish is Wish.GO_ON and verdict.outcome is Outcome.SUCCESS and soaked):
        return _next(rollout)
    return rollout


def standing(rollout: Rollout, weight: int, shadow: int = 0, early: bool = False) -> Rollout:
    """Where a rollout stands whose reads were found divided like this: a run that was interrupted goes on there.

    A weight that is none of its steps, of a plan that was edited say, is where the last lower step was.
    """
    reached = [number for number, step in enumerate(rollout.steps) if step <= weight]
    if not (weight or early) or not reached:
        phase = Phase.SHADOW if shadow and rollout.shadow and not weight else Phase.PLANNED
        return replace(rollout, phase=phase, step=0)
    return replace(rollout, phase=Phase.CANARY, step=reached[-1])


def _next(rollout: Rollout) -> Rollout:
    if rollout.phase is Phase.PLANNED and rollout.shadow:
        return replace(rollout, phase=Phase.SHADOW)
    if rollout.phase in (Phase.PLANNED, Phase.SHADOW) and rollout.steps:
        return replace(rollout, phase=Phase.CANARY, step=0)
    if rollout.phase is Phase.CANARY and rollout.step + 1 < len(rollout.steps):
        return replace(rollout, step=rollout.step + 1)
    return replace(rollout, phase=Phase.SWITCHED, step=0)
