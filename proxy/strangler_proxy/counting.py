"""Counts the reads of each move's cohorts, and its writes, anew for each version of its routes."""

from __future__ import annotations

from dataclasses import dataclass, field

from strangler_proxy.cohorts import EDGES, Cohort, Cohorts, class_of
from strangler_proxy.routes import CANDIDATE, CONTROL, EARLY

Version = tuple[int, int]
WRITES = "writes"
_ALL = (CANDIDATE, CONTROL, EARLY, WRITES)


@dataclass(kw_only=True)
class _Counts:
    requests: int = 0
    failed: int = 0
    refused: int = 0
    seconds: list[int] = field(default_factory=lambda: [0] * (len(EDGES) + 1))

    def note(self, status: int | None, seconds: float) -> None:
        self.requests += 1
        if status is None or status >= 500:
            self.failed += 1
        elif status >= 400:
            self.refused += 1
        if status is not None:
            self.seconds[class_of(seconds)] += 1

    def cohort(self) -> Cohort:
        return Cohort(requests=self.requests, failed=self.failed, refused=self.refused, seconds=tuple(self.seconds))


@dataclass(kw_only=True)
class _Counted:
    version: Version
    cohorts: dict[str, _Counts] = field(default_factory=lambda: {name: _Counts() for name in _ALL})


class Counting:
    """One proxy's counts. A read that was decided under an older version is not counted."""

    def __init__(self) -> None:
        self._moves: dict[str, _Counted] = {}

    def table_changed(self, versions: dict[str, Version]) -> None:
        """Begin anew for every move whose version is another one."""
        for move, version in versions.items():
            if move not in self._moves or self._moves[move].version != version:
                self._moves[move] = _Counted(version=version)
        for move in self._moves.keys() - versions.keys():
            del self._moves[move]

    def note(self, move: str, version: Version, cohort: str, status: int | None, seconds: float) -> None:
        """Count an answer; the status is None where there was none."""
        counted = self._moves.get(move)
        if counted is not None and counted.version == version:
            counted.cohorts[cohort].note(status, seconds)

    def cohorts(self, move: str) -> tuple[Version, Cohorts] | None:
        """The counts and the version that they are of; None where the move is not routed."""
        counted = self._moves.get(move)
        if counted is None:
            return None
        candidate, control, early, writes = (counted.cohorts[name].cohort() for name in _ALL)
        return counted.version, Cohorts(candidate=candidate, control=control, early=early, writes=writes)
