"""What happened to all plans, as one line of events. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from strangler.plans.history import Run

LAST = 80
"""Events that are shown; the record has them all."""


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Something that happened to a plan."""

    at: str
    """ISO 8601, UTC, to the millisecond."""
    plan: str
    number: int
    kind: str
    """"began", "step", or how a run ended: "done", "failed"."""
    what: str
    who: str


def happenings(runs: Mapping[str, Iterable[Run]], last: int = LAST) -> tuple[Happening, ...]:
    """The last events of all plans, by name, the newest first."""
    found = [happening for plan, its in runs.items() for run in its for happening in _of(plan, run)]
    # Sorting keeps the order of what has the same moment.
    return tuple(reversed(sorted(found, key=lambda one: one.at)[-last:]))


def _of(plan: str, run: Run) -> Iterator[Happening]:
    undo = "Undo: " if run.backwards else ""
    name = f"{undo}{run.operation}"
    yield _happening(plan, run, run.started, "began", name)
    for step in run.steps:
        yield _happening(plan, run, run.started + timedelta(seconds=step.after), "step", step.what)
    if run.outcome in ("done", "failed"):
        yield _happening(plan, run, run.ended, run.outcome, run.error if run.outcome == "failed" else name)


def _happening(plan: str, run: Run, at: datetime, kind: str, what: str) -> Happening:
    return Happening(
        at=at.isoformat(timespec="milliseconds"), plan=plan, number=run.number, kind=kind, what=what, who=run.who
    )
