"""How calls go wrong, for exercises and tests: refused, kept waiting, or done without an answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

_SERVICES = ("ses", "sns", "sqs")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to a call. Raises ValueError where it is none."""

    status: int = 0
    """Answered so, and nothing is done; 0: it is done."""
    delay: float = 0.0
    """Seconds of silence before anything happens."""
    lost: bool = False
    """It is done, but the connection ends without an answer."""

    def __post_init__(self) -> None:
        if self.status and not 400 <= self.status <= 599:
            raise ValueError(f"status {self.status} is no error; give one from 400 to 599, or 0")
        if not 0 <= self.delay <= 60:
            raise ValueError(f"delay {self.delay} is not between 0 and 60 seconds")


class Behaviour:
    """The fault of each service's next calls, for a number of them or until it is taken back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, tuple[Fault, int | None]] = {}

    def behave(self, wanted: Mapping[str, object]) -> None:
        """{"service": "ses", ...}: that service goes by this from now on; without more it does as it should.

        Raises ValueError or TypeError where it is not understood.
        """
        known = dict(wanted)
        service, times = known.pop("service", None), known.pop("times", None)
        if service not in _SERVICES:
            raise ValueError(f"service {service!r} is none of {', '.join(_SERVICES)}")
        if times is not None and (not isinstance(times, int) or times < 1):
            raise ValueError(f"times {times!r} is no number of calls; leave it out for all of them")
        fault = Fault(**known)  # type: ignore[arg-type]
        with self._lock:
            self._faults[str(service)] = fault, times

    def meet(self, service: str) -> Fault:
        """The fault of this call, once its delay is over."""
        with self._lock:
            fault, times = self._faults.get(service, (Fault(), None))
            if times is not None:
                self._faults[service] = (fault, times - 1) if times > 1 else (Fault(), None)
        time.sleep(fault.delay)
        return fault
