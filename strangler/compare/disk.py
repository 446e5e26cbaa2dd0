"""What an arm takes on the disk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from strangler.compare.arms import Arm


def disk(arm: Arm) -> Mapping[str, float]:
    """MB of its databases' folders and of its processes' logs; code, interpreters and packages are not in it."""
    home = arm.instance.home
    return {
        "databases": sum(_bytes(arm.instance.database(name).data) for name in arm.kind.databases) / 2**20,
        "servers": len(arm.kind.databases),
        "logs": _bytes(home / "processes") / 2**20,
    }


def _bytes(folder: Path) -> int:
    """What the files in it take, by blocks."""
    taken = 0
    for path, _, files in os.walk(folder):
        for file in files:
            try:
                taken += (Path(path) / file).lstat().st_blocks * 512
            except OSError:
                continue  # a server removes some of its own
    return taken
