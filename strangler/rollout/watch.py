"""Whether a switch is to last: the new owner is watched for a while, and what follows from its verdicts. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from strangler.rollout.rollout import ALL, Wish
from strangler.rollout.verdict import Limits, Outcome, Verdict

UNWELL_SECONDS = 10.0
"""How long it may be impossible to look before that is a failure."""


class Next(enum.Enum):
    """What a watch does after a look."""

    STAY = enum.auto()  # look again
    END = enum.auto()  # the switch lasts; the plan goes on
    REVERSE = enum.auto()  # the ownership goes back
    FREEZE = enum.auto()  # nothing more happens until a person decides


@dataclass(frozen=True, kw_only=True)
class Watch:
    """How a plan watches the owner that it has switched to. Raises ValueError."""

    soak: float = 600.0
    """Seconds that it is watched at least."""
    patience: float = 3_600.0
    """Seconds after which it is frozen while the verdict is inconclusive."""
    control: int = 500
    """Share of the reads that the side which owned before goes on answering, to compare with; 0: writes alone count."""
    limits: Limits = field(default_factory=Limits)
    reverse: bool = False
    """Whether a failure gives the ownership back by itself; else it freezes the plan."""

    def __post_init__(self) -> None:
        if not 0 <= self.control <= ALL // 2:
            raise ValueError(f"the watch's control {self.control} must lie between 0 and {ALL // 2}: half of the reads")
        if self.soak < 0 or self.patience < 0:
            raise ValueError("the watch's soak and patience are seconds from 0")


def after(watch: Watch, verdict: Verdict, *, spent: float, wish: Wish = Wish.GO_ON) -> Next:
    """What follows from a look, "spent" seconds after the watch began. Inconclusive never ends it well."""
    if wish is Wish.ABORT:
        return Next.REVERSE
    if verdict.outcome is Outcome.FAILED:
        return Next.REVERSE if watch.reverse else Next.FREEZE
    if wish is Wish.PROMOTE:
        return Next.END
    if wish is Wish.PAUSE:
        return Next.STAY
    if verdict.outcome is Outcome.SUCCESS and spent >= watch.soak:
        return Next.END
    return Next.FREEZE if spent >= max(watch.patience, watch.soak) else Next.STAY


def unwell(reason: str, seconds: float) -> Verdict:
    """The verdict where one cannot look, and could not for so long."""
    outcome = Outcome.FAILED if seconds >= UNWELL_SECONDS else Outcome.INCONCLUSIVE
    return Verdict(outcome=outcome, reason=f"for {seconds:.0f} s nobody could look: {reason}")
