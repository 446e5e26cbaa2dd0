"""The page's changes as server-sent events: for so long at most, and for so many readers at once.

Each stream takes a thread of its server, so there are few; who finds none free, or whose time is over, asks again.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

STREAMS = 4
"""Of one process. A page that gets none loads itself again now and then."""
LIFETIME = 300.0
"""Seconds; the browser then asks for the next one by itself."""
EVERY = 2.0
"""Seconds between two looks."""
RETRY = 3_000
"""Milliseconds after which a browser asks again."""


@dataclass(kw_only=True)
class Slots:
    """Places for streams."""

    free: int = STREAMS

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether there was one."""
        with self._lock:
            there = self.free > 0
            self.free -= there
            return there

    def give_back(self) -> None:
        with self._lock:
            self.free += 1


class Stream:
    """One reader's events, as text. Its place is given back when it is closed, begun or not, and at its end."""

    def __init__(
        self,
        slots: Slots,
        look: Callable[[], Mapping[str, str]],
        *,
        lifetime: float = LIFETIME,
        every: float = EVERY,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """ "look" gives the page's sections; "slots" has a place taken for this stream already."""
        self._slots: Slots | None = slots
        self._look = look
        self._every, self._sleep, self._clock = every, sleep, clock
        self._until = clock() + lifetime
        self._events = self._all()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            return next(self._events)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give its place back, once."""
        slots, self._slots = self._slots, None
        if slots is not None:
            slots.give_back()

    def _all(self) -> Iterator[str]:
        yield f"retry: {RETRY}\n\n"
        before: Mapping[str, str] = {}
        while True:
            now = self._look()
            # Said also where nothing has changed: whoever is gone is noticed by that alone.
            yield event(before, now)
            before = now
            if self._clock() >= self._until:
                return
            self._sleep(self._every)


def event(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What has changed between two looks, by id; "anew" where the page has other sections."""
    if before and before.keys() != now.keys():
        return "event: anew\ndata:\n\n"
    changed = {name: html for name, html in now.items() if before.get(name) != html}
    return f"data: {json.dumps(changed)}\n\n" if changed else ": nothing new\n\n"
