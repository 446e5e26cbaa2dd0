"""Couplings that a person judged at their lines: drawn from a map, or found by reading before it was looked at.

A file holds rounds, each under a line "# round 2, seed 7: ..."; a judgement is a line of it:

    right | foreign key | shop/reviews/models.py:5 | catalog.Product | the key is declared there

"right", "wrong" and "open" are of what was drawn, "open" being wrong and not mended; "found" and "missed" are of what
was read, whose target may be an app alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from strangler.analysis.coupling import Coupling
from strangler.analysis.mapping import Map

FOLDER = Path(__file__).parent / "samples"
DRAWN, READ = "drawn", "read"
_IN_THE_MAP = {"right": True, "wrong": False, "open": True, "found": True, "missed": False}
_GOOD = frozenset({"right", "found"})
_OF = {DRAWN: ("right", "wrong", "open"), READ: ("found", "missed")}
_ROUND = re.compile(r"# round \d+\b.*")


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a person said of one coupling."""

    verdict: str
    kind: str
    path: str
    line: int
    target: str
    why: str
    round: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.kind} to {self.target}, {self.verdict} ({self.why})"


def judged(name: str, sort: str, folder: Path = FOLDER) -> list[Judgement]:
    """All judgements of a project; none where nobody has judged. Raises ValueError for a line that is none."""
    file, found, number = folder / f"{name}.{sort}.txt", [], 0
    for at, text in enumerate(file.read_text().splitlines() if file.exists() else (), 1):
        number += _ROUND.fullmatch(text) is not None
        if not text or text.startswith("#"):
            continue
        parts = [part.strip() for part in text.split("|", 4)]
        place = parts[2].rpartition(":") if len(parts) == 5 else ("", "", "")
        if parts[0] not in _OF[sort] or not place[2].isdigit() or not parts[4] or not number:
            raise ValueError(f'{file.name}:{at}: "{text}" is no judgement with its reason below a round')
        found.append(
            Judgement(
                verdict=parts[0],
                kind=parts[1],
                path=place[0],
                line=int(place[2]),
                target=parts[3],
                why=parts[4],
                round=number,
            )
        )
    return found


def share(judgements: Iterable[Judgement]) -> tuple[int, int]:
    """(how many of the last round are right or found, of how many): precision or recall."""
    all_ = list(judgements)
    last = [one for one in all_ if one.round == max(one.round for one in all_)]
    return sum(one.verdict in _GOOD for one in last), len(last)


def contradictions(found: Map, judgements: Iterable[Judgement]) -> Iterator[str]:
    """Judgements that the map is not as good as any more, or better than."""
    there = {
        (coupling.kind.value, coupling.path, coupling.line, target)
        for coupling in found.couplings
        for target in (coupling.target, coupling.target_app)
    }
    for one in judgements:
        in_map = (one.kind, one.path, one.line, one.target) in there
        if in_map != _IN_THE_MAP[one.verdict]:
            yield f"{one}: {'is' if in_map else 'is not'} in the map"


def drawn(found: Map, seed: int, count: int = 50) -> Iterator[str]:
    """Couplings to be judged, as lines of a file: without verdict and reason."""
    among = [coupling for coupling in found.couplings if not coupling.test]
    for one in sorted(random.Random(seed).sample(among, min(count, len(among))), key=_place):
        yield f"? | {one.kind} | {one.path}:{one.line} | {one.target} | {one.source}; {one.detail}"


def _place(coupling: Coupling) -> tuple[str, int]:
    return coupling.path, coupling.line
