"""How much of a quota is used up in a window of time."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

LARGEST = 100_000
"""Windows that a process keeps; the ones used longest ago go first."""
Clock = Callable[[], float]
"""Seconds since 1970."""


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


class OwnWindows:
    """Those of this process, and of the runs before it."""

    def __init__(self, counts: Mapping[str, tuple[int, float]] | None = None, clock: Clock = time.time) -> None:
        """With counts, and the moments at which their windows end, by the windows' names."""
        self._counts = OrderedDict(counts or {})
        self._clock = clock
        self._changed = False

    @classmethod
    def open(cls, path: Path) -> OwnWindows:
        """With what the file remembers. Raises ValueError on a bad file."""
        if not path.exists():
            return cls()
        try:
            told = json.loads(path.read_bytes())
            return cls({str(name): (int(count), float(end)) for name, (count, end) in told.items()})
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f'the file "{path}" holds no quotas ({error!r}); move it away') from error

    async def use(self, windows: Sequence[Window]) -> Used:
        """See Windows."""
        counts = tuple(self._counts.get(window.name, (0, 0.0))[0] for window in windows)
        if any(count >= window.quota for window, count in zip(windows, counts, strict=True)):
            return Used(counted=False, counts=counts)
        counts = tuple(count + 1 for count in counts)
        for window, count in zip(windows, counts, strict=True):
            self._counts[window.name] = count, self._clock() + window.ends_in
            self._counts.move_to_end(window.name)
        while len(self._counts) > LARGEST:
            self._counts.popitem(last=False)
        self._changed = True
        return Used(counted=True, counts=counts)

    def changed(self) -> Mapping[str, tuple[int, float]] | None:
        """What a later run needs; None where that is as it was."""
        if not self._changed:
            return None
        self._changed = False
        now = self._clock()
        self._counts = OrderedDict((name, found) for name, found in self._counts.items() if found[1] > now)
        return dict(self._counts)
