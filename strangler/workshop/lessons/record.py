"""What the learner's plan has done, line by line, as its record has it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.orchard import PLAN

SWITCH = 6
"""The index of the operation that moves the routes and the ownership."""
COPY = 5
"""That of the one that copies the tables."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line."""

    at: float
    index: int
    forwards: bool
    event: str
    facts: Mapping[str, Any]


def events(bench: Bench, plan: str = PLAN) -> list[Event]:
    """All of them in order; a line that is being written is left out."""
    path = bench.instance.records / plan / "record.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [_event(json.loads(line)) for line in lines if line.endswith("}")]


def _event(line: Mapping[str, Any]) -> Event:
    return Event(
        at=datetime.fromisoformat(line["at"]).timestamp(),
        index=line["index"],
        forwards=line["direction"] == "forwards",
        event=line["event"],
        facts=line["facts"],
    )
