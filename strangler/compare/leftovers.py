"""A folder for one comparison, which nothing is left of: also when it is interrupted, or killed and run again."""

from __future__ import annotations

import fcntl
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

End = Callable[[Path], None]


@contextmanager
def folder(runs: Path, end: End) -> Iterator[Path]:
    """A new folder below "runs". "end" stops what runs in it before it is removed, also where one was killed."""
    runs.mkdir(parents=True, exist_ok=True)
    for left in runs.glob("compare-*/lock"):
        _clear(left, end)
    home = Path(tempfile.mkdtemp(prefix="compare-", dir=runs))
    # The kernel lets go of the lock however we end.
    with (home / "lock").open("w") as lock, _terminated_as_interrupted():
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield home
        finally:
            end(home)
            shutil.rmtree(home, ignore_errors=True)


def _clear(left: Path, end: End) -> None:
    with left.open("a") as lock, suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        end(left.parent)
        shutil.rmtree(left.parent, ignore_errors=True)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM is a Ctrl-C, so that nothing is left running either way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
