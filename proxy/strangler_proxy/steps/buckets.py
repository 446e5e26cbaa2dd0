"""Token buckets, each kept as the one moment at which it is full again."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

LARGEST = 100_000
"""Buckets that a process keeps; the ones used longest ago go first, and who comes back then has a full one."""
_GRAIN = 1e-6
"""Seconds below which a bucket is not asked to wait: clocks' own rounding."""


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """One client's tokens of one throttle."""

    name: str
    """Of this bucket alone, and without secrets."""
    rate: float
    burst: int

    def left(self, full_in: float) -> int:
        """The tokens in it, if it is full in so many seconds."""
        return max(0, math.floor(self.burst - full_in * self.rate + 1e-3))


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What came of asking each of some buckets for a token."""

    wait: float
    """Seconds until all of them have one; 0 where they had, and gave it."""
    full_in: tuple[float, ...]
    """Seconds until each is full again."""


class Buckets(Protocol):
    """Where buckets are kept."""

    async def take(self, buckets: Sequence[Bucket]) -> Taken:
        """Take a token from all of them, or from none."""


@dataclass(kw_only=True)
class OwnBuckets:
    """Those of this process."""

    clock: Callable[[], float] = time.monotonic
    _full: OrderedDict[Bucket, float] = field(default_factory=OrderedDict)

    async def take(self, buckets: Sequence[Bucket]) -> Taken:
        """See Buckets."""
        now = self.clock()
        full = [max(self._full.get(bucket, now), now) for bucket in buckets]
        wait = max(at - now - (bucket.burst - 1) / bucket.rate for bucket, at in zip(buckets, full, strict=True))
        if wait <= _GRAIN:
            wait = 0.0
            full = [at + 1 / bucket.rate for bucket, at in zip(buckets, full, strict=True)]
            for bucket, at in zip(buckets, full, strict=True):
                self._full[bucket] = at
                self._full.move_to_end(bucket)
            while len(self._full) > LARGEST:
                self._full.popitem(last=False)
        return Taken(wait=wait, full_in=tuple(at - now for at in full))
