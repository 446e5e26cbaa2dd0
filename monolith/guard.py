"""Keeps a part that is slow or dead from taking those along who ask it: a bulkhead and a circuit breaker."""

import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much of a process one part may take with it. Times are in seconds."""

    most: int
    """Calls at a time; fewer than the process has threads, so that some are left for what does not need that part."""
    wait: float
    """How long somebody waits to be one of them."""
    failures: int
    """After so many in a row the part is left alone,"""
    pause: float
    """for so long; then one call tries it."""


class Spared(Exception):
    """The part was not asked: nothing has happened there."""


class Guard:
    """Stands before the calls of one part, for all threads of a process."""

    def __init__(self, limits, *, failure, clock=time.monotonic):
        self._limits = limits
        self._failure = failure
        self._clock = clock
        self._places = threading.BoundedSemaphore(limits.most)
        self._lock = threading.Lock()
        self._failures = 0
        self._shut_until = 0.0

    def __call__(self, ask):
        """What `ask` gives or raises, or Spared where it was not called.

        Of its errors only a `failure` counts as one; all others are answers, which a part that is dead does not give.
        """
        if not self._places.acquire(timeout=self._limits.wait):
            raise Spared("too many wait for it already")
        try:
            self._pass()
            failed = False
            try:
                return ask()
            except self._failure:
                failed = True
                raise
            finally:
                self._note(failed)
        finally:
            self._places.release()

    def _pass(self):
        with self._lock:
            if self._failures < self._limits.failures:
                return
            now = self._clock()
            if now < self._shut_until:
                raise Spared("it has failed again and again, just now")
            # This call tries it; the others are spared meanwhile.
            self._shut_until = now + self._limits.pause

    def _note(self, failed):
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            if self._failures >= self._limits.failures:
                self._shut_until = self._clock() + self._limits.pause
