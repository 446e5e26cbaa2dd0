"""How far the watch after a switch is, by the record. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from strangler.plans.standing import Entry

WATCH = "watch"
FROZEN = "frozen"
LASTS = "lasts"
"""Steps of a record: it began, a person has to decide, the switch lasts. Each bears the term of the switch."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """Where one switch's watch stands."""

    began: float | None = None
    """Seconds since 1970."""
    frozen: str = ""
    """Why, until it is decided that the switch lasts."""
    over: bool = False


def watched(entries: Iterable[Entry], term: int) -> Watched:
    """The watch of the switch that began this term; those of other terms are of other switches."""
    began, frozen, over = None, "", False
    for entry in entries:
        if entry.facts.get("term") != term:
            continue
        step = entry.facts.get("step")
        if step == WATCH and began is None:
            began = datetime.fromisoformat(entry.at).timestamp()
        elif step == FROZEN:
            frozen = str(entry.facts["reason"])
        elif step == LASTS:
            frozen, over = "", True
    return Watched(began=began, frozen=frozen, over=over)
