"""What shadows of requests have shown: the proxies tell it in these terms. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

SAMPLES = 5
"""That are kept of each group."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One request, and what stood at the place in either answer."""

    request: str
    owner: str
    candidate: str


@dataclass(frozen=True, kw_only=True)
class Differing:
    """All differences of one kind at one place of one endpoint's answers."""

    endpoint: str
    path: str
    kind: str
    count: int
    samples: tuple[Sample, ...]

    def __str__(self) -> str:
        first = self.samples[0]
        return (
            f"{self.count} times {self.kind} at {self.path} of {self.endpoint}: {first.owner} became {first.candidate}"
        )


@dataclass(frozen=True, kw_only=True)
class Noise:
    """A place at which the owner differs from itself, so that nothing is said of the candidate there."""

    endpoint: str
    path: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Shadowed:
    """The shadows of one version of a move's routes. What was dropped, too large or unanswered was not compared."""

    compared: int = 0
    different: int = 0
    dropped: int = 0
    too_large: int = 0
    unanswered: int = 0
    unclear: int = 0
    """Writes of which nothing can be said: the candidate had other rows, or a side cannot tell."""
    differing: tuple[Differing, ...] = ()
    noise: tuple[Noise, ...] = ()

    def __add__(self, other: Shadowed) -> Shadowed:
        return Shadowed(
            compared=self.compared + other.compared,
            different=self.different + other.different,
            dropped=self.dropped + other.dropped,
            too_large=self.too_large + other.too_large,
            unanswered=self.unanswered + other.unanswered,
            unclear=self.unclear + other.unclear,
            differing=_differing((*self.differing, *other.differing)),
            noise=_noise((*self.noise, *other.noise)),
        )

    def to_json(self) -> dict[str, Any]:
        """The object that from_json reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Shadowed:
        """Raises ValueError with one sentence."""
        try:
            differing = tuple(
                Differing(**{**one, "samples": tuple(Sample(**sample) for sample in one["samples"])})
                for one in given["differing"]
            )
            noise = tuple(Noise(**one) for one in given["noise"])
            return cls(**{**given, "differing": differing, "noise": noise})
        except (KeyError, TypeError) as error:
            raise ValueError(f"what was shadowed has a part that is missing or of the wrong kind ({error})") from error


def _differing(all_of_them: Iterable[Differing]) -> tuple[Differing, ...]:
    """The same places together, the most frequent ones first."""
    found: dict[tuple[str, str, str], Differing] = {}
    for one in all_of_them:
        place = (one.endpoint, one.path, one.kind)
        before = found.get(place)
        found[place] = Differing(
            endpoint=one.endpoint,
            path=one.path,
            kind=one.kind,
            count=one.count + (before.count if before else 0),
            samples=((before.samples if before else ()) + one.samples)[:SAMPLES],
        )
    return tuple(sorted(found.values(), key=lambda one: (-one.count, one.endpoint, one.path, one.kind)))


def _noise(all_of_them: Iterable[Noise]) -> tuple[Noise, ...]:
    counts: dict[tuple[str, str], int] = {}
    for one in all_of_them:
        counts[one.endpoint, one.path] = counts.get((one.endpoint, one.path), 0) + one.count
    return tuple(Noise(endpoint=endpoint, path=path, count=count) for (endpoint, path), count in sorted(counts.items()))
