"""Step 10: was it broken in the middle, and is it whole again?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.orchard import Standing, standing
from strangler.workshop.lessons.record import SWITCH, Event, events

POSITION = "6"
_ENDS = {"done", "failed"}


def check(bench: Bench) -> list[Finding]:
    """The record: an operation that began and has no end, and then one that has."""
    now = standing(bench)
    if isinstance(now, Finding):
        return [now]
    return judge(events(bench), now)


def judge(seen: list[Event], now: Standing) -> list[Finding]:
    """The same, decided purely."""
    return list(_found([event for event in seen if event.index == SWITCH], now))


def _found(seen: list[Event], now: Standing) -> Iterator[Finding]:
    starts = [n for n, event in enumerate(seen) if event.event == "started"]
    runs = [seen[start:end] for start, end in pairwise([*starts, len(seen)])]
    killed = [run for run in runs if not any(event.event in _ENDS for event in run)]
    if not runs:
        yield Finding(what="the switch was never begun", where='"python manage.py applyplan 0001 7"')
    elif now.half_done:
        what = "the switch is half done: what was killed has not been finished, nor undone"
        yield Finding(what=what, where='"next" in "python manage.py planstatus 0001"')
    elif not killed:
        what = "no run was killed: each says in the record how it ended"
        yield Finding(what=what, where="kill -9, and sooner: as soon as the record's last line is a line of the switch")
    elif now.owner != "reviews":
        what = "it was undone; that is a way out, but here go forwards"
        yield Finding(what=what, where='"python manage.py applyplan 0001 7"')
