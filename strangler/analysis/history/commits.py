"""Which files each commit changed, and what is changed together more often than by chance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from strangler.analysis.history.git import Repository

_COMMITS = 5_000
_SECONDS = 20.0
_HUGE = 50
"""Files of a commit from which on it says nothing: a formatting, a renaming, an import of all."""
_FEW = 3
"""Commits below which two things were changed together by accident."""
_CHANCE = 0.01


@dataclass(frozen=True, kw_only=True)
class History:
    """The files of each commit that was read, and sentences on what was not."""

    commits: tuple[frozenset[str], ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Together:
    """Two things that are changed in the same commits: how often both are, and each."""

    one: str
    other: str
    both: int
    first: int
    second: int
    commits: int

    @property
    def confidence(self) -> float:
        """The share of the rarer one's commits that changed the other as well."""
        return self.both / min(self.first, self.second)

    @property
    def lift(self) -> float:
        """How many times more often than if they had nothing to do with each other."""
        return self.both * self.commits / (self.first * self.second)

    def __str__(self) -> str:
        rare, other = (self.one, self.other) if self.first <= self.second else (self.other, self.one)
        return (
            f"{rare} with {other}: {self.both} of its {min(self.first, self.second)} commits ({self.confidence:.0%}), "
            f"{self.lift:.1f} times chance"
        )


def read_history(repository: Repository, end: str = "HEAD", seconds: float = _SECONDS) -> History:
    """The commits before one, the last ones; merges and huge ones are left out. Raises NoHistory."""
    text, why = repository.log(
        *("--no-merges", f"--max-count={_COMMITS}", "--no-renames", "--name-only", "-z", "--relative"),
        *("--format=%x01%H %P", end),
        seconds=seconds,
    )
    shallow = repository.shallow
    chunks = text.split("\x01")[1:]
    if why and chunks:
        chunks.pop()  # it may have been cut off
    commits, huge = [], 0
    for chunk in chunks:
        head, _, rest = chunk.partition("\0")
        files = frozenset(name for part in rest.split("\0") if (name := part.strip("\n")))
        if len(files) > _HUGE or (shallow and len(head.split()) == 1):
            huge += 1  # where a clone was cut off, the oldest commit seems to have made everything
        elif files:
            commits.append(files)
    sentences = []
    if shallow:
        sentences.append(f"the clone is shallow: only {len(chunks)} commits are there (git fetch --unshallow)")
    if why:
        sentences.append(f"the history could be read for {len(chunks)} commits alone ({why})")
    if huge:
        sentences.append(f"{huge} commits of more than {_HUGE} files were left out")
    return History(commits=tuple(commits), sentences=tuple(sentences))


def together(commits: Iterable[frozenset[str]], thing_of: Callable[[str], str]) -> list[Together]:
    """The pairs of things that commits change together more than by chance, the most certain first.

    Chance is that of Fisher's exact test, for as many pairs as there are: at most one in a hundred of such lists
    has a pair that is in it by accident. Things are what thing_of makes of paths; empty ones do not count.
    """
    known: dict[str, str] = {}
    things: list[frozenset[str]] = []
    for files in commits:
        for path in files - known.keys():
            known[path] = thing_of(path)
        found = frozenset(known[path] for path in files) - {""}
        if found:
            things.append(found)
    alone = Counter(thing for found in things for thing in found)
    both = Counter(pair for found in things for pair in combinations(sorted(found), 2))
    pairs = [
        Together(one=one, other=other, both=n, first=alone[one], second=alone[other], commits=len(things))
        for (one, other), n in both.items()
        if n >= _FEW
    ]
    kept = [(chance, pair) for pair in pairs if (chance := _chance(pair)) * len(both) <= _CHANCE]
    return [pair for _, pair in sorted(kept, key=lambda one: (one[0], one[1].one, one[1].other))]


def _chance(pair: Together) -> float:
    """The probability of at least so many common commits, if each thing fell on its commits at random."""
    most = min(pair.first, pair.second)
    whole = _ways(pair.commits, pair.second)
    return sum(
        math.exp(_ways(pair.first, n) + _ways(pair.commits - pair.first, pair.second - n) - whole)
        for n in range(pair.both, most + 1)
        if pair.second - n <= pair.commits - pair.first
    )


def _ways(of: int, choose: int) -> float:
    """The logarithm of a binomial coefficient."""
    return math.lgamma(of + 1) - math.lgamma(choose + 1) - math.lgamma(of - choose + 1)


def of_these(pairs: Sequence[Together], things: Iterable[str]) -> list[Together]:
    """Those with one of these things."""
    wanted = set(things)
    return [pair for pair in pairs if pair.one in wanted or pair.other in wanted]
