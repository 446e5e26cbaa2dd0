"""Whether a disk is full, however that was noticed."""

from __future__ import annotations

import errno
import shutil

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: OSError) -> bool:
    """Whether this is why; of a folder that was copied, only the texts of its files' errors are left."""
    if isinstance(error, shutil.Error):
        return any(f"[Errno {number}]" in str(error) for number in _NO_ROOM)
    return error.errno in _NO_ROOM
