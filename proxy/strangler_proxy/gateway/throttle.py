"""How many requests are let through."""

from __future__ import annotations

from dataclasses import dataclass

PER = ("client", "address", "user", "key", "route")


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """A token bucket: "burst" requests at once, and "rate" a second in the long run. Raises ValueError."""

    rate: float
    burst: int = 1
    per: str = "client"
    """Whose bucket it is, one of PER: "route" is one for all. Who comes without a key, say, counts by address."""

    def __post_init__(self) -> None:
        if not 0 < self.rate < float("inf"):
            raise ValueError(f"a throttle's rate is {self.rate:g}; it must be more than 0 requests a second")
        if self.burst < 1:
            raise ValueError(f"a throttle's burst is {self.burst}; it must be at least 1 request")
        if self.per not in PER:
            raise ValueError(f'a throttle is per "{self.per}"; it must be one of {", ".join(PER)}')
