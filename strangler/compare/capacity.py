"""The highest rate that holds, by halving; pure but for the asking."""

from __future__ import annotations

import math
from collections.abc import Callable


def highest(holds: Callable[[float], bool], *, low: float, high: float, probes: int) -> float:
    """The highest rate between "low" and "high" that is known to hold, after so many questions; "low" where none is.

    Each question halves what is left of the ratio between the two, so that after n of them its 2**n-th root is left.
    """
    for _ in range(probes):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
