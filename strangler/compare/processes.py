"""What processes use, by the kernel's own books: CPU time and memory of trees of them; and how to halt these."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Stat:
    """What /proc/<pid>/stat has of one process."""

    pid: int
    parent: int
    ticks: int  # its own and those of its children that it has waited for


def parse_stat(text: str) -> Stat:
    """Raises ValueError where it is no such line. The program's name may hold blanks and brackets."""
    before, _, after = text.rpartition(")")
    fields = after.split()
    if len(fields) < 15:
        raise ValueError(f'no line of /proc/<pid>/stat: "{text[:40]}"')
    return Stat(pid=int(before.split()[0]), parent=int(fields[1]), ticks=sum(map(int, fields[11:15])))


def trees(stats: Iterable[Stat], roots: Iterable[int]) -> list[Stat]:
    """The roots that are there and all below them, each once, parents first. Pure."""
    by_parent, by_pid = defaultdict(list), {}
    for stat in stats:
        by_parent[stat.parent].append(stat)
        by_pid[stat.pid] = stat
    found: dict[int, Stat] = {}
    waiting = [by_pid[root] for root in roots if root in by_pid]
    while waiting:
        stat = waiting.pop(0)
        if stat.pid not in found:
            found[stat.pid] = stat
            waiting += by_parent[stat.pid]
    return list(found.values())


def running(roots: Iterable[int]) -> list[Stat]:
    """The trees below these, now."""
    stats = []
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError):  # it has ended meanwhile
                stats.append(parse_stat((entry / "stat").read_text(encoding="utf-8", errors="replace")))
    return trees(stats, roots)


def cpu_seconds(roots: Iterable[int]) -> float:
    """CPU time of the trees since they began; what had ended and was waited for is in it."""
    return sum(stat.ticks for stat in running(roots)) / _TICKS


def memory(roots: Iterable[int]) -> int:
    """Bytes; a page that several share is counted once."""
    return sum(map(proportional, (stat.pid for stat in running(roots))))


def halt(roots: Iterable[int]) -> None:
    """Stop the trees where they are, until "go_on"."""
    _signal(running(roots), signal.SIGSTOP)


def go_on(roots: Iterable[int]) -> None:
    # Those below first: a parent that finds its children silent might take them for dead.
    _signal(reversed(running(roots)), signal.SIGCONT)


def proportional(pid: int) -> int:
    """Bytes of one process, its share of each page that several have; 0 where it has ended."""
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _signal(stats: Iterable[Stat], number: signal.Signals) -> None:
    for stat in stats:
        with suppress(ProcessLookupError):
            os.kill(stat.pid, number)
