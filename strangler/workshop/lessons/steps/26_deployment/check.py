"""Lab 26: who notices that a new version is rolled out, or a bad one?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.probing import experiment

_PROGRAM = Path(__file__).parent / "start" / "labs" / "deployment.py"
_ANSWER = "labs/deployment.toml"
_COPIES = 2


def check(bench: Bench) -> list[Finding]:
    """Two rollouts, of a good version and of one that never gets ready."""
    said, broken = experiment(bench, _PROGRAM)
    return [broken] if broken is not None else [*_good(said["good"]), *_bad(said["bad"])]


def _good(said: Mapping[str, Any]) -> Iterator[Finding]:
    if said["stuck"]:
        what = "the rollout is stuck: no copy may be stopped, and none started"
        yield Finding(what=what, where=f"{_ANSWER}: minimum and maximum leave no room between them")
        return
    if said["fewest"] == 0:
        yield Finding(what="for a while nobody serves", where=f"{_ANSWER}: minimum_healthy_percent")
    elif said["fewest"] < _COPIES:
        what = f"for a while {said['fewest']} copy carries the load of {_COPIES}"
        yield Finding(what=what, where=f"{_ANSWER}: minimum_healthy_percent, and the room that it needs")
    if said["failed"] and said["fewest"]:
        what = f"{said['failed']} of {said['came']} people are sent to copies that cannot serve yet"
        yield Finding(what=what, where=f"{_ANSWER}: health_check; extracted/reviews/reviews_service/health.py has both")
    if said["cut"]:
        what = f"{said['cut']} people are cut off in the middle"
        yield Finding(what=what, where=f"{_ANSWER}: stop_seconds; how long may a request take?")
    if said["then"] != "version 2" and not said["failed"]:
        yield Finding(what=f"in the end people get {said['then']}", where=_ANSWER)


def _bad(said: Mapping[str, Any]) -> Iterator[Finding]:
    if said["then"] != "version 1":
        what = f"a version that never gets ready is rolled out, and people get {said['then']}"
        yield Finding(what=what, where=f"{_ANSWER}: who is stopped before the new ones have shown that they serve?")
