"""Where tests keep what does not outlive them."""

from __future__ import annotations

import shutil
from pathlib import Path

_IN_MEMORY = Path("/dev/shm")
_ROOM = 4 * 1024**3


def in_memory() -> Path | None:
    """A directory in memory, where there is one with room for servers; None: the usual place has to do."""
    return _IN_MEMORY if _IN_MEMORY.exists() and shutil.disk_usage(_IN_MEMORY).free > _ROOM else None
