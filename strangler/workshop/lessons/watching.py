"""Checks again whenever something was saved, or has happened to the learner's Orchard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.files import tree_of

_Signature = dict[Path, tuple[int, int]]


def watch(bench: Bench, check: Callable[[], bool], goes_on: Callable[[], bool]) -> None:
    """Check now and after each change, until a check says that the step is done, or "goes_on" that this is enough.

    "goes_on" waits a moment, too: it is asked between two looks.
    """
    seen: _Signature | None = None
    while True:
        now = _signature(bench)
        if now != seen and check():
            return
        seen = now
        if not goes_on():
            return


def _signature(bench: Bench) -> _Signature:
    places = [*tree_of(bench.home).values(), *bench.instance.records.glob("*/record.jsonl")]
    signature: _Signature = {}
    for place in places:
        try:
            found = place.lstat()
        except FileNotFoundError:  # an editor writes a new file and puts it in the old one's place
            continue
        signature[place] = (found.st_mtime_ns, found.st_size)
    return signature
