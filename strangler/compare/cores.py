"""The same cores and the same memory for every arm, and other cores for the load where there are any."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_MEMORY = Path("/sys/fs/cgroup/memory")
_GROUP = "strangler-compare-"
_LIMIT = "memory.limit_in_bytes"


@dataclass(frozen=True, kw_only=True)
class Cores:
    """Which cores the arms share, which the load has, and how much memory each arm may use in all."""

    arms: frozenset[int]
    load: frozenset[int]
    memory: int  # bytes
    groups: Path = field(default=_MEMORY)  # where groups of processes can be given a limit, if we may

    @contextmanager
    def of_arms(self, name: str, *, pinned: bool = True) -> Iterator[None]:
        """What is started meanwhile stays within the memory of this arm, and (unless not pinned) on the arms' cores."""
        group, before = self._group(name), os.sched_getaffinity(0)
        os.sched_setaffinity(0, self.arms if pinned else self.arms | self.load)
        try:
            with _within(group):
                yield
        finally:
            os.sched_setaffinity(0, before)

    def of_load(self) -> None:
        """From now on we ourselves run on the load's cores."""
        os.sched_setaffinity(0, self.load)

    def release(self) -> None:
        """Remove the groups in which nobody is any more, ours and those of comparisons that were killed."""
        for group in self.groups.glob(f"{_GROUP}*"):
            with suppress(OSError):  # somebody is in it
                group.rmdir()

    @property
    def bounds_memory(self) -> bool:
        """Whether this machine lets us bound the memory of a group of processes."""
        return os.access(self.groups, os.W_OK) and (self.groups / _LIMIT).exists()

    def __str__(self) -> str:
        shared = "of its own" if not self.arms & self.load else "that it shares with them, for lack of others"
        bound = (
            f"{self.memory / 2**20:,.0f} MB for all its processes together, by a memory cgroup"
            if self.bounds_memory
            else "not bounded here, since no memory cgroup can be made: it is measured"
        )
        return (
            f"every arm has the cores {_listed(self.arms)} for all its processes, databases included, by affinity; "
            f"the load "
            f"comes from {_listed(self.load)}, {shared}; memory of an arm: {bound}"
        )

    def _group(self, name: str) -> Path | None:
        if not self.bounds_memory:
            return None
        path = self._path(name)
        path.mkdir(exist_ok=True)
        (path / _LIMIT).write_text(str(self.memory), encoding="ascii")
        return path

    def _path(self, name: str) -> Path:
        return self.groups / f"{_GROUP}{os.getpid()}-{name}"


def shared_out(available: set[int], memory: int) -> Cores:
    """The last core for the load, all others for the arms; a single one for both."""
    *arms, load = sorted(available)
    return Cores(arms=frozenset(arms or [load]), load=frozenset([load]), memory=memory)


@contextmanager
def _within(group: Path | None) -> Iterator[None]:
    """Have this thread in the group, so that its children are; other threads may be starting another arm's."""
    if group is None:
        yield
        return
    before = _own_group(group.parent)
    _join(group)
    try:
        yield
    finally:
        _join(before)


def _own_group(groups: Path) -> Path:
    for line in Path("/proc/thread-self/cgroup").read_text(encoding="ascii").splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return groups / path.lstrip("/")
    return groups


def _join(group: Path) -> None:
    (group / "tasks").write_text(str(threading.get_native_id()), encoding="ascii")


def _listed(cores: frozenset[int]) -> str:
    return ", ".join(map(str, sorted(cores)))
