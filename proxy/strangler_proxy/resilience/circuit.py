"""A circuit breaker: pure, with the time as an argument."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from strangler_proxy.gateway.resilience import Breaker

_PARTS = 10
"""Of the window: what is older than it is forgotten a part at a time."""


class State(Enum):
    """Where a circuit stands."""

    CLOSED = 0
    """All requests go to the upstream."""
    HALF_OPEN = 1
    """One at a time does, to see how it is."""
    OPEN = 2
    """None does."""


@dataclass(kw_only=True)
class _Part:
    number: int
    requests: int = 0
    failures: int = 0


@dataclass(kw_only=True)
class Circuit:
    """Of one upstream."""

    terms: Breaker
    state: State = State.CLOSED
    opened: int = 0
    """How often."""
    _epoch: int = 0
    _in_a_row: int = 0
    _until: float = 0.0
    _trying: bool = False
    _parts: deque[_Part] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """Seconds until a request may go; 0 where one may now."""
        if self.state is State.CLOSED:
            return 0.0
        left = self._until - now
        return max(left, 1.0 if self._trying else 0.0)

    def enter(self, now: float) -> int | None:
        """Let a request go: what leave() is to be given; None where none may."""
        if self.wait(now) > 0:
            return None
        if self.state is State.OPEN:
            self._begin(State.HALF_OPEN)
        self._trying = self.state is State.HALF_OPEN
        return self._epoch

    def leave(self, entered: int, well: bool | None, now: float) -> None:
        """Tell what came of it; None for nothing, since its client went away.

        What was let go before the state last changed says nothing any more.
        """
        if entered != self._epoch:
            return
        if self.state is State.HALF_OPEN:
            self._trying = False
            if well is not None:
                self._begin(State.CLOSED) if well else self._open(now)
        elif well is not None:
            self._count(well, now)
            if self._in_a_row >= self.terms.failures or self._share_failed(now):
                self._open(now)

    def _open(self, now: float) -> None:
        self._begin(State.OPEN)
        self._until = now + self.terms.seconds
        self.opened += 1

    def _begin(self, state: State) -> None:
        self.state = state
        self._epoch += 1
        self._in_a_row = 0
        self._trying = False
        self._parts.clear()

    def _count(self, well: bool, now: float) -> None:
        self._in_a_row = 0 if well else self._in_a_row + 1
        number = self._number(now)
        if not self._parts or self._parts[-1].number < number:
            self._parts.append(_Part(number=number))
        self._parts[-1].requests += 1
        self._parts[-1].failures += not well

    def _share_failed(self, now: float) -> bool:
        while self._parts and self._parts[0].number <= self._number(now) - _PARTS:
            self._parts.popleft()
        requests = sum(part.requests for part in self._parts)
        failures = sum(part.failures for part in self._parts)
        return requests >= self.terms.minimum and failures >= self.terms.share * requests

    def _number(self, now: float) -> int:
        return int(now / self.terms.window * _PARTS)
