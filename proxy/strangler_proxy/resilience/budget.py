"""How many requests may be sent again, so that retries never multiply an outage: pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from strangler_proxy.gateway.resilience import Retry


@dataclass(kw_only=True)
class Budget:
    """Of one upstream: each request brings a share of a retry, and no more than the reserve is saved up."""

    terms: Retry
    _left: float = field(init=False)

    def __post_init__(self) -> None:
        self._left = float(self.terms.reserve)

    def request(self) -> None:
        """A request is sent for the first time."""
        self._left = min(float(self.terms.reserve), self._left + self.terms.share)

    def take(self) -> bool:
        """Whether one may be sent again; that is one less then."""
        if self._left < 1:
            return False
        self._left -= 1
        return True
