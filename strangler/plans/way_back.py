"""The way back of a plan: whether it is open, what it costs, and until when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from strangler.plans.plan import Plan
from strangler.plans.standing import Entry


@dataclass(frozen=True, kw_only=True)
class WayBack:
    """What going back takes. The figures are those of the last switch that was made, None where none was."""

    possible: bool
    by_switch: bool
    """The service owns, so that the ownership has to be switched back under the gates."""
    seconds: float | None
    """From looking at the databases to published routes."""
    pause_ms: float | None
    """Of that, without anybody who takes writes."""
    until: str | None
    """The operation that closes it, None where the plan has none."""

    def __str__(self) -> str:
        if not self.possible:
            return "not possible now"
        until = f'; open until "{self.until}" is run' if self.until else ""
        if not self.by_switch:
            return f"possible, nothing is lost: the monolith owns, and no switch is needed{until}"
        took = "how long it takes is not known, since the record has no switch"
        if self.seconds is not None and self.pause_ms is not None:
            took = f"about {self.seconds:.1f} s, {self.pause_ms:.0f} ms of it without writes, as the last switch"
        return f"possible, nothing is lost: what the service has written is carried back; {took}{until}"


def way_back(plan: Plan, entries: Iterable[Entry], *, possible: bool, by_switch: bool) -> WayBack:
    """Put together what the plan and its record say."""
    final = plan.operations[plan.reversible_length :]
    seconds, pause_ms = _last_switch(entries)
    return WayBack(
        possible=possible,
        by_switch=by_switch,
        seconds=seconds,
        pause_ms=pause_ms,
        until=final[0].describe() if possible and final else None,
    )


def _last_switch(entries: Iterable[Entry]) -> tuple[float | None, float | None]:
    """(seconds, milliseconds without writes) of the last switch that came to its end, either way."""
    began: str | None = None
    found: tuple[float | None, float | None] = (None, None)
    for entry in entries:
        step = entry.facts.get("step")
        if step == "picture" and "recovering" not in entry.facts and "completing" not in entry.facts:
            began = entry.at
        if step == "switched" and began is not None:
            took = datetime.fromisoformat(entry.at) - datetime.fromisoformat(began)
            found = (took.total_seconds(), float(str(entry.facts["pause_ms"])))
    return found
