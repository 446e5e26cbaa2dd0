"""What a canary's reads came to: those that the candidate answers, and as many that the owner answers meanwhile.

Standard library only: the proxy counts in these terms, and the toolkit judges by them.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

EDGES = tuple(round(0.001 * 2 ** (half / 2), 6) for half in range(29))
"""Seconds: 1 ms to 16 s, in steps of the square root of 2. A proxy counts an answer in the first one it is within."""


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """The reads of some clients, at one side. "failed" are 5xx and no answer, "refused" 4xx; both count as requests."""

    requests: int = 0
    failed: int = 0
    refused: int = 0
    seconds: tuple[int, ...] = field(default=(0,) * (len(EDGES) + 1))
    """How many were answered within each edge but not within the one before; the last are slower than all."""

    def __post_init__(self) -> None:
        if len(self.seconds) != len(EDGES) + 1:
            raise ValueError(f"a cohort counts its seconds in {len(EDGES) + 1} classes, not in {len(self.seconds)}")
        counts = (self.requests, self.failed, self.refused, *self.seconds)
        if any(isinstance(count, bool) or not isinstance(count, int) or count < 0 for count in counts):
            raise ValueError("a cohort counts in whole numbers from 0")
        if self.failed + self.refused > self.requests or sum(self.seconds) > self.requests:
            raise ValueError(f"a cohort of {self.requests} requests has more answers than that")

    def __add__(self, other: Cohort) -> Cohort:
        return Cohort(
            requests=self.requests + other.requests,
            failed=self.failed + other.failed,
            refused=self.refused + other.refused,
            seconds=tuple(mine + theirs for mine, theirs in zip(self.seconds, other.seconds, strict=True)),
        )

    def slower_than(self, edge: int) -> int:
        """Of the timed answers, those that took longer than EDGES[edge]."""
        return sum(self.seconds[edge + 1 :])

    @property
    def timed(self) -> int:
        return sum(self.seconds)


@dataclass(frozen=True, kw_only=True)
class Cohorts:
    """The cohorts of one version of a move's routes, and what shadows of its requests showed meanwhile."""

    candidate: Cohort = field(default_factory=Cohort)
    control: Cohort = field(default_factory=Cohort)
    early: Cohort = field(default_factory=Cohort)
    """Reads of those who come first: the candidate answers them, and nobody comparable is answered by the owner."""
    writes: Cohort = field(default_factory=Cohort)
    """All writes, which the owner answers."""
    compared: int = 0
    different: int = 0

    def __add__(self, other: Cohorts) -> Cohorts:
        return Cohorts(
            candidate=self.candidate + other.candidate,
            control=self.control + other.control,
            early=self.early + other.early,
            writes=self.writes + other.writes,
            compared=self.compared + other.compared,
            different=self.different + other.different,
        )

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Cohorts:
        """Raises ValueError with one sentence."""
        try:
            return cls(
                candidate=_cohort(given["candidate"]),
                control=_cohort(given["control"]),
                early=_cohort(given["early"]),
                writes=_cohort(given["writes"]),
                compared=given["compared"],
                different=given["different"],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"the cohorts have a part that is missing or of the wrong kind ({error})") from error

    def to_json(self) -> dict[str, Any]:
        """The object that from_json reads."""
        return asdict(self)


def class_of(seconds: float) -> int:
    """The class in which an answer that took so long is counted."""
    return bisect.bisect_left(EDGES, seconds)


def _cohort(given: Mapping[str, Any]) -> Cohort:
    return Cohort(**{**given, "seconds": tuple(given["seconds"])})
