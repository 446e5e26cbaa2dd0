"""Writes that wait while their rows change hands: a lease for each move, which ends by itself."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class _Hold:
    until: float  # time.monotonic()
    version: tuple[int, int]  # of the move when the hold began: a newer one ends it
    released: asyncio.Event = field(default_factory=asyncio.Event)


class Holds:
    """The holds in force. A write asks once, and waits at most until its lease ends."""

    def __init__(self) -> None:
        self._holds: dict[str, _Hold] = {}
        self.waiting = 0

    def hold(self, move: str, seconds: float, version: tuple[int, int]) -> None:
        """Let new writes of the move wait. Asked again, the lease begins anew and those that wait go on waiting."""
        current = self._holds.get(move)
        if current is not None and not current.released.is_set():
            current.until, current.version = time.monotonic() + seconds, version
        else:
            self._holds[move] = _Hold(until=time.monotonic() + seconds, version=version)

    def release(self, move: str) -> None:
        """Let them go. Nothing where there is no hold."""
        hold = self._holds.pop(move, None)
        if hold is not None:
            hold.released.set()

    def table_changed(self, versions: dict[str, tuple[int, int]]) -> None:
        """End the holds of all moves that have a newer version, or that are routed no more."""
        for move, hold in list(self._holds.items()):
            if move not in versions or versions[move] > hold.version:
                self.release(move)

    def holds(self, move: str) -> bool:
        """Whether a write of the move has to wait."""
        return move in self._holds

    async def wait(self, move: str) -> float:
        """Wait until the move is not held; the seconds waited."""
        began = time.monotonic()
        while (hold := self._holds.get(move)) is not None:
            left = hold.until - time.monotonic()
            if left <= 0:
                self.release(move)
                break
            self.waiting += 1
            try:
                await asyncio.wait_for(hold.released.wait(), left)
            except TimeoutError:
                continue  # the lease may have begun anew
            finally:
                self.waiting -= 1
        return time.monotonic() - began
