"""How much of a quota is used up in a window of time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

LARGEST = 100_000
"""Windows that a process keeps; the ones used longest ago go first."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """One key's requests from one moment to another."""

    name: str
    """Of this window alone."""
    quota: int
    ends_in: int
    """Seconds."""


@dataclass(frozen=True, kw_only=True)
class Used:
    """What came of counting a request in some windows."""

    counted: bool
    counts: tuple[int, ...]
    """With this request, if it was counted."""


class Windows(Protocol):
    """Where they are kept."""

    async def use(self, windows: Sequence[Window]) -> Used:
        """Count a request in all of them, or in none if one is used up."""


@dataclass(kw_only=True)
class OwnWindows:
    """Those of this process, since it began."""

    _counts: OrderedDict[str, int] = field(default_factory=OrderedDict)

    async def use(self, windows: Sequence[Window]) -> Used:
        """See Windows."""
        counts = tuple(self._counts.get(window.name, 0) for window in windows)
        if any(count >= window.quota for window, count in zip(windows, counts, strict=True)):
            return Used(counted=False, counts=counts)
        counts = tuple(count + 1 for count in counts)
        for window, count in zip(windows, counts, strict=True):
            self._counts[window.name] = count
            self._counts.move_to_end(window.name)
        while len(self._counts) > LARGEST:
            self._counts.popitem(last=False)
        return Used(counted=True, counts=counts)
