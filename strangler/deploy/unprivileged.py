"""Database servers that refuse to run as root, started by root all the same; and what becomes of their processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

_NOBODY = 65534
_NAMESPACE = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]


def unprivileged() -> list[str]:
    """What to put before the command: in a user namespace a server does not see that it is root."""
    return _NAMESPACE if os.geteuid() == 0 and _namespaces_work() else []


def demotion() -> dict[str, Any]:
    """Arguments for subprocess where namespaces do not work: the server runs as nobody then."""
    if os.geteuid() != 0 or _namespaces_work():
        return {}
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}


def give_away(path: Path) -> None:
    """Let the server own a file that it must read or write."""
    if demotion():
        os.chown(path, _NOBODY, _NOBODY)


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process; nothing where it has gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and waits to be asked for its status does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    try:
        return not (
            stat.exists() and stat.read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()[0] == "Z"
        )
    except OSError:
        return False


@cache
def _namespaces_work() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
