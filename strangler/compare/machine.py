"""On what it was measured."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

from strangler.workshop.instance import ROOT

_MEMORY = r"^MemTotal:\s*(\d+)"


def machine() -> dict[str, str]:
    """Words for a report; nothing that names whose machine it is."""
    return {
        "processor": _found(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo")) or platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{int(_found(_MEMORY, Path('/proc/meminfo')) or 0) / 2**20:.0f} GB",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.1f}",
        "commit": _commit(),
    }


def _found(pattern: str, file: Path) -> str:
    try:
        found = re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return ""
    return found[1] if found else ""


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
