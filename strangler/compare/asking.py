"""Several people ask for what they were promised, each for one thing, again and again, while something happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from strangler.compare.promises import PROMISES, Kept, Person, Promise

_EVERY = 0.25


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One time that a promise was asked for."""

    promise: str
    began: float  # seconds, of the monotonic clock
    seconds: float
    kept: Kept


@dataclass(kw_only=True)
class Crowd:
    """One person for each promise."""

    people: dict[str, Person]
    attempts: list[Attempt] = field(default_factory=list)

    @classmethod
    def at(cls, url: str, slugs: list[str]) -> Crowd:
        return cls(people={promise.name: Person.registered(url, slugs) for promise in PROMISES})

    @contextmanager
    def asking(self, every: float = _EVERY) -> Iterator[list[Attempt]]:
        """Everybody asks while the context is open; all attempts are in the list once it is left."""
        done, stop = list[Attempt](), threading.Event()
        with ThreadPoolExecutor(len(PROMISES)) as pool:
            running = [pool.submit(self._again_and_again, promise, every, stop, done) for promise in PROMISES]
            try:
                yield done
            finally:
                stop.set()
                for each in running:
                    each.result()

    def once(self) -> list[Attempt]:
        """Everybody asks once, one after the other."""
        return [self._attempt(promise) for promise in PROMISES]

    def until_kept(self, seconds: float) -> float | None:
        """How long it takes until every promise is kept; None where that takes longer than so many seconds."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if all(attempt.kept is Kept.KEPT for attempt in self.once()):
                return time.monotonic() - began
            time.sleep(0.2)
        return None

    def _again_and_again(self, promise: Promise, every: float, stop: threading.Event, done: list[Attempt]) -> None:
        while not stop.is_set():
            done.append(self._attempt(promise))
            stop.wait(every)

    def _attempt(self, promise: Promise) -> Attempt:
        began = time.monotonic()
        kept, seconds = promise.kept(self.people[promise.name])
        return Attempt(promise=promise.name, began=began, seconds=seconds, kept=kept)


def judged(attempts: Sequence[Attempt]) -> str:
    """In a word or two what became of a promise: the worst, and of failures whether there were others. Pure."""
    if not attempts:
        return "not asked"
    kinds = [attempt.kept for attempt in attempts]
    failed = kinds.count(Kept.FAILED)
    if failed == len(kinds):
        return "fails"
    if failed:
        return "partly fails"
    if Kept.SLOW in kinds:
        return "slow"
    return "poorer" if Kept.POORER in kinds else "keeps"


def interrupted(attempts: Sequence[Attempt]) -> float:
    """The longest time, in seconds, in which no attempt that began was kept or poorer. Pure.

    From the beginning of the first of a row of bad attempts to the beginning of the next good one.
    """
    longest, since = 0.0, None
    for attempt in sorted(attempts, key=lambda each: each.began):
        good = attempt.kept in {Kept.KEPT, Kept.POORER}
        if good and since is not None:
            longest, since = max(longest, attempt.began - since), None
        elif not good and since is None:
            since = attempt.began
    if since is not None:
        longest = max(longest, max(each.began + each.seconds for each in attempts) - since)
    return longest
