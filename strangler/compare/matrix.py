"""Faults and promises: each part of each arm fails in each way, and people ask meanwhile for their promises."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from strangler.compare.arms import Arm
from strangler.compare.asking import Attempt, Crowd, judged
from strangler.compare.faults import Fault, faults_of, holding, parts_of
from strangler.compare.promises import PROMISES
from strangler.compare.sizes import Size

_SETTLE = 0.3
_RECOVER = 15.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """One fault of one part of one arm."""

    arm: str
    part: str
    fault: str
    promises: dict[str, str]  # in words, by promise
    asked: dict[str, int]
    failed: dict[str, int]
    recovered: float | None  # seconds after the fault until all is kept again; None: not within _RECOVER


def matrix(arms: Sequence[Arm], slugs: list[str], size: Size, say: Callable[[str], None]) -> list[dict[str, object]]:
    """All rows of all arms, which are awake; they fail side by side, each for itself."""
    stop = threading.Event()
    with ThreadPoolExecutor(len(arms)) as pool:
        try:
            found = list(pool.map(lambda arm: list(_rows(arm, slugs, size, say, stop)), arms))
        finally:
            stop.set()  # an interruption waits for one fault more, not for all
    return [asdict(row) for rows in found for row in rows]


def _rows(arm: Arm, slugs: list[str], size: Size, say: Callable[[str], None], stop: threading.Event) -> Iterator[Row]:
    crowd = Crowd.at(arm.url, slugs)
    crowd.until_kept(_RECOVER)
    for part in parts_of(arm):
        if size.failing and part not in size.failing:
            continue
        for fault in faults_of(part):
            if stop.is_set():
                return
            if fault in size.faults:
                yield _row(arm, part, fault, crowd, size.fault)
        say(f"{arm.kind.name}: {part} has failed in every way")


def _row(arm: Arm, part: str, fault: Fault, crowd: Crowd, seconds: float) -> Row:
    with holding(arm, part, fault):
        time.sleep(_SETTLE)
        with crowd.asking() as attempts:
            time.sleep(seconds)
    recovered = crowd.until_kept(_RECOVER)
    by_promise = {promise.name: _of(attempts, promise.name) for promise in PROMISES}
    return Row(
        arm=arm.kind.name,
        part=part,
        fault=str(fault),
        promises={name: judged(own) for name, own in by_promise.items()},
        asked={name: len(own) for name, own in by_promise.items()},
        failed={name: sum(attempt.kept == "failed" for attempt in own) for name, own in by_promise.items()},
        recovered=None if recovered is None else round(recovered, 1),
    )


def _of(attempts: list[Attempt], promise: str) -> list[Attempt]:
    return [attempt for attempt in attempts if attempt.promise == promise]
