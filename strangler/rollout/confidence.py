"""Intervals for a share that hold however often one looks.

Whoever looks at a fixed-sample test after every request will in time see what is not there. These are confidence
sequences: with probability 1 - alpha the true share lies in every interval of the whole sequence. They come from
mixing the binomial likelihood over a Beta(1/2, 1/2) prior, and Ville's inequality (Robbins 1970; Howard, Ramdas,
McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of Statistics 2021).
"""

from __future__ import annotations

import math
from collections.abc import Callable

_PRIOR = 0.5
_HALVINGS = 50


def interval(successes: int, trials: int, alpha: float) -> tuple[float, float]:
    """The shares (lowest, highest) that this many successes leave possible. Raises ValueError on impossible counts."""
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} is no share")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha:g}; it must lie between 0 and 1")
    if trials == 0:
        return 0.0, 1.0
    seen = successes / trials
    evidence = _log_beta(successes + _PRIOR, trials - successes + _PRIOR) - _log_beta(_PRIOR, _PRIOR)
    enough = evidence + math.log(alpha)

    def possible(share: float) -> bool:
        return _log_likelihood(successes, trials, share) > enough

    return _boundary(possible, inside=seen, outside=0.0), _boundary(possible, inside=seen, outside=1.0)


def _boundary(possible: Callable[[float], bool], inside: float, outside: float) -> float:
    """The last possible share on the way to an impossible one, rounded outwards."""
    if possible(outside):
        return outside
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if possible(middle):
            inside = middle
        else:
            outside = middle
    return outside


def _log_likelihood(successes: int, trials: int, share: float) -> float:
    failures = trials - successes
    if (share == 0 and successes) or (share == 1 and failures):
        return -math.inf
    return (successes * math.log(share) if successes else 0.0) + (failures * math.log1p(-share) if failures else 0.0)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
