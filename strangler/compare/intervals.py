"""What repetitions say: a mean with its interval, and whether two of them differ. Pure, and the same for the same seed.

Intervals are bootstrapped: the mean of the repetitions, drawn again with replacement. Plain percentiles of these are
too narrow for few repetitions, so they are widened to what Student's t would have (Hesterberg's expanded percentiles).
"""

from __future__ import annotations

import enum
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist, fmean

CONFIDENCE = 0.99
"""Of each interval. A report has dozens of comparisons: at 0.95 one of them would often differ by chance."""
ENOUGH = 6
"""Repetitions below which nothing is called different: of two times five, one order in 126 separates by chance."""
RESAMPLES = 4_000


class Verdict(enum.StrEnum):
    """What is said of two arms."""

    LESS = "less"  # the whole interval lies below the other's
    MORE = "more"  # the whole interval lies above the other's
    SAME = "no difference shown"  # the intervals overlap; it says nothing of whether there is one
    TOO_FEW = "too few repetitions"


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean, and between what it lies with CONFIDENCE."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.4g} ({self.low:.4g} to {self.high:.4g})"


def interval(values: Sequence[float], *, seed: int = 1, resamples: int = RESAMPLES) -> Interval:
    """The mean of repetitions with its interval; of one repetition, that alone. Raises ValueError for none."""
    if not values:
        raise ValueError("there is no repetition to make an interval of")
    if len(values) == 1:
        return Interval(mean=values[0], low=values[0], high=values[0])
    return _percentiles(fmean(values), _means(values, seed, resamples), len(values))


def ratio(ours: Sequence[float], reference: Sequence[float], *, seed: int = 1, resamples: int = RESAMPLES) -> Interval:
    """How many times the reference's mean ours is, with its interval; repetitions are drawn in pairs.

    Raises ValueError where they are no pairs or the reference is not positive throughout.
    """
    if len(ours) != len(reference) or not ours:
        raise ValueError(f"{len(ours)} repetitions are no pairs with {len(reference)}")
    if min(reference) <= 0:
        raise ValueError("a ratio needs a reference that is positive throughout")
    middle = fmean(ours) / fmean(reference)
    if len(ours) == 1:
        return Interval(mean=middle, low=middle, high=middle)
    rng, pairs = random.Random(seed), list(zip(ours, reference, strict=True))
    drawn = []
    for _ in range(resamples):
        own, others = zip(*rng.choices(pairs, k=len(pairs)), strict=True)
        drawn.append(math.fsum(own) / math.fsum(others))
    return _percentiles(middle, drawn, len(pairs))


def verdict(ours: Interval, reference: Interval, repetitions: int) -> Verdict:
    """Whether ours are less or more than the reference's. Never either where the intervals overlap or touch."""
    if repetitions < ENOUGH:
        return Verdict.TOO_FEW
    if ours.high < reference.low:
        return Verdict.LESS
    return Verdict.MORE if ours.low > reference.high else Verdict.SAME


def _means(values: Sequence[float], seed: int, resamples: int) -> list[float]:
    # In order, so that the interval depends on what was measured and not on when.
    rng, ordered, count = random.Random(seed), sorted(values), len(values)
    return [math.fsum(rng.choices(ordered, k=count)) / count for _ in range(resamples)]


def _percentiles(middle: float, drawn: list[float], count: int) -> Interval:
    drawn.sort()
    tail = expanded_tail(count)
    low = drawn[math.floor(tail * len(drawn))]
    high = drawn[min(len(drawn) - 1, math.ceil((1 - tail) * len(drawn)))]
    return Interval(mean=middle, low=min(low, middle), high=max(high, middle))


@lru_cache
def expanded_tail(count: int) -> float:
    """The share of the bootstrap's means to leave out at each end, for so many repetitions (2 or more)."""
    wide = students_t(1 - (1 - CONFIDENCE) / 2, count - 1) * math.sqrt(count / (count - 1))
    return NormalDist().cdf(-wide)


def students_t(probability: float, freedom: int) -> float:
    """The quantile of Student's t above the median, by halving."""
    low, high = 0.0, 1.0
    while _t_below(high, freedom) < probability:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_below(middle, freedom) < probability else (low, middle)
    return (low + high) / 2


def _t_below(t: float, freedom: int) -> float:
    """The probability below t: in the angle of tangent t / sqrt(freedom), the density is a power of its cosine."""
    steps, angle = 200, math.atan(t / math.sqrt(freedom))
    width = angle / steps
    heights = [math.cos(width * step) ** (freedom - 1) for step in range(steps + 1)]
    simpson = heights[0] + heights[-1] + 4 * math.fsum(heights[1:-1:2]) + 2 * math.fsum(heights[2:-1:2])
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
    return 0.5 + scale * simpson * width / 3
