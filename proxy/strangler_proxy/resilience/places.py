"""A bulkhead: so many requests are with an upstream at a time, and few wait for that, in the order they came in."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from strangler_proxy.gateway.resilience import Bulkhead


@dataclass(kw_only=True)
class Places:
    """Of one upstream. Who waits gets the place of the first who leaves."""

    terms: Bulkhead
    taken: int = 0
    _queue: deque[asyncio.Future[None]] = field(default_factory=deque)

    @property
    def waiting(self) -> int:
        """How many do."""
        return len(self._queue)

    def take(self) -> bool:
        """Take a place, if there is one."""
        if self.taken >= self.terms.most:
            return False
        self.taken += 1
        return True

    async def wait(self) -> bool:
        """Wait for a place and take it; False where too many wait already, or it takes too long."""
        if self.take():
            return True
        if self.waiting >= self.terms.queue:
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(self.terms.seconds):
                await turn
        except TimeoutError:
            return self._given_after_all(turn)
        except asyncio.CancelledError:
            if self._given_after_all(turn):
                self.leave()
            raise
        return True

    def leave(self) -> None:
        """Give a place back, to who waits first."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.taken -= 1

    def _given_after_all(self, turn: asyncio.Future[None]) -> bool:
        """Whether the place was given at the very moment at which the waiting ended."""
        if turn in self._queue:
            self._queue.remove(turn)
        return turn.done() and not turn.cancelled()
