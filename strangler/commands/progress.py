"""How far long work has come, as one line of a terminal that goes away."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from strangler.analysis.telling import Tell, nobody

_PATIENCE = 1.0
"""Seconds after which somebody wants to know."""
_PAUSE = 0.2
_WIDTH = 40


@contextmanager
def progress(stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> Iterator[Tell]:
    """Whom to tell; nobody where no terminal is there."""
    stream = stream or sys.stderr
    if not stream.isatty():
        yield nobody
        return
    shown, next_ = False, clock() + _PATIENCE

    def tell(what: str, done: int, of: int) -> None:
        nonlocal shown, next_
        if (now := clock()) >= next_:
            shown, next_ = True, now + _PAUSE
            stream.write(f"\r{f'{what}: {done:,} of {of:,}':<{_WIDTH}}")
            stream.flush()

    yield tell
    if shown:
        stream.write(f"\r{'':<{_WIDTH}}\r")
        stream.flush()
