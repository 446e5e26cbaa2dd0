"""When what is done: orders of runs and times of requests, the same for the same seed. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence


def orders(arms: Sequence[str], repetitions: int, seed: int) -> list[list[str]]:
    """For each repetition, every arm once, in an order of its own."""
    rng = random.Random(f"orders {seed}")
    return [rng.sample(list(arms), len(arms)) for _ in range(repetitions)]


def arrivals(rate: float, seconds: float, seed: str) -> list[float]:
    """Seconds from the beginning at which requests are due: as visitors who know nothing of each other come.

    One at least, in the middle where chance gives none.
    """
    rng, due, at = random.Random(seed), [], 0.0
    while (at := at + rng.expovariate(rate)) < seconds:
        due.append(at)
    return due or [seconds / 2]


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share of them does not exceed. Raises ValueError for none."""
    if not values:
        raise ValueError("there is no value to take a quantile of")
    ordered = sorted(values)
    # As a whole number of millionths: 0.95 * 20 must be 19, and not a little more.
    rank = -(-round(share * 1_000_000) * len(ordered) // 1_000_000)
    return ordered[max(0, rank - 1)]
