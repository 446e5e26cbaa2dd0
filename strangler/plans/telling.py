"""A copy's progress for the record: not every range, since each line of a record waits for the disk."""

from __future__ import annotations

import time
from collections.abc import Callable

from strangler.plans.world import Emit
from strangler.split.copying import CopyProgress

EVERY = 10.0
"""Seconds between two lines of one table."""


class CopyTeller:
    """Told of every range, it tells of one in a while, and of the last one of each table."""

    def __init__(self, emit: Emit, clock: Callable[[], float] = time.monotonic) -> None:
        self._emit = emit
        self._clock = clock
        self._told_at: float | None = None
        self._pending: CopyProgress | None = None

    def __call__(self, at: CopyProgress) -> None:
        if at.building:
            self.flush()
            self._emit("step", step="building", what=at.building)
            return
        if self._pending is not None and self._pending.table != at.table:
            self.flush()
        self._pending = at
        if self._told_at is None or self._clock() - self._told_at >= EVERY:
            self.flush()

    def flush(self) -> None:
        """Tell of what was told last and not passed on yet."""
        at, self._pending = self._pending, None
        if at is None:
            return
        self._told_at = self._clock()
        eta = {} if at.eta is None else {"seconds_left": round(at.eta)}
        self._emit("progress", table=at.table, rows=at.rows, total=at.total, rows_per_second=round(at.rate), **eta)
