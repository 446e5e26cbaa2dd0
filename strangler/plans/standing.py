"""Where a plan stands, by the events of its record: pure.

After a merge in git a record may say two things. Where it does, a plan stands between them: what both applied is surely
applied, what one of them applied may be. Operations find out what is there, so the next run settles it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

FORWARDS = "forwards"
BACKWARDS = "backwards"


class Event(enum.StrEnum):
    """What can happen to an operation."""

    STARTED = "started"  # written before its first effect
    PROGRESS = "progress"  # how far it is; decides nothing
    STEP = "step"  # a boundary inside it was passed; decides nothing
    DONE = "done"  # written after its last effect; moves the plan's position
    REPAIR = "repair"  # rows were brought over again on request, outside of any run; decides nothing
    FAILED = "failed"  # it raised; the operation stays half done until it is run again or undone


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a record."""

    at: str
    who: str
    plan: str
    plan_hash: str
    index: int
    operation: str
    direction: str
    event: str
    facts: dict[str, object]
    after: tuple[str, ...] = ()
    """Hashes of the lines that it follows; see `strangler.plans.chain`."""
    hash: str = ""

    def __str__(self) -> str:
        if self.event == Event.STARTED:
            undo = "" if self.direction == FORWARDS else "Undo: "
            return f"{self.at[11:19]} {self.index + 1}. {undo}{self.operation}"
        facts = ", ".join(f"{name} {value}" for name, value in self.facts.items())
        return f"{self.at[11:19]}    {facts or self.event}"


@dataclass(frozen=True, kw_only=True)
class Position:
    """How far a plan is: "lowest" operations are surely applied, "highest" are surely all that may be."""

    lowest: int = 0
    highest: int = 0

    @property
    def half_done(self) -> bool:
        """Whether an operation was started and did not finish, or a merged record says two things."""
        return self.lowest != self.highest

    @property
    def between(self) -> str:
        """The operations that may be applied or not, such as "operation 3"."""
        many = self.highest - self.lowest > 1
        return f"operations {self.lowest + 1} to {self.highest}" if many else f"operation {self.highest}"

    def __str__(self) -> str:
        if not self.half_done:
            return f"{self.lowest} operations applied"
        return f"{self.between} {'are' if self.highest - self.lowest > 1 else 'is'} half done"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a record says of its plan."""

    position: Position = Position()
    fingerprints: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """By index, the plan's fingerprints when that operation was last started forwards: one, unless a merge says two."""

    def then(self, entry: Entry) -> Standing:
        """Where the plan stands after one more event."""
        below, above = entry.index, entry.index + 1
        position = self.position
        match entry.event, entry.direction:
            # Operations run upwards from the lowest and downwards from the highest, so these are what the run saw.
            case Event.STARTED, "forwards":
                fingerprints = {**self.fingerprints, entry.index: frozenset([entry.plan_hash])}
                position = Position(lowest=below, highest=max(position.highest, above))
                return Standing(position=position, fingerprints=fingerprints)
            case Event.STARTED, _:
                position = Position(lowest=min(position.lowest, below), highest=above)
            case Event.DONE, "forwards":
                position = Position(lowest=above, highest=max(position.highest, above))
            case Event.DONE, _:
                position = Position(lowest=min(position.lowest, below), highest=below)
        return replace(self, position=position)


def standing(entries: Iterable[Entry]) -> Standing:
    """Where the plan stands after all events, each of which comes after those that it follows."""
    ends: dict[str, Standing] = {}
    known: dict[str, Standing] = {}
    for entry in entries:
        known[entry.hash] = ends[entry.hash] = _merged([known[hash_] for hash_ in entry.after]).then(entry)
        for hash_ in entry.after:
            ends.pop(hash_, None)
    return _merged(list(ends.values()))


def _merged(standings: list[Standing]) -> Standing:
    if len(standings) == 1:
        return standings[0]
    indexes = sorted({index for one in standings for index in one.fingerprints})
    return Standing(
        position=Position(
            lowest=min((one.position.lowest for one in standings), default=0),
            highest=max((one.position.highest for one in standings), default=0),
        ),
        fingerprints={
            index: frozenset().union(*(one.fingerprints.get(index, frozenset()) for one in standings))
            for index in indexes
        },
    )
