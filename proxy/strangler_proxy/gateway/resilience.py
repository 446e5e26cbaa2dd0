"""What a request's upstream may take, and what happens where it is not well."""

from __future__ import annotations

from dataclasses import dataclass

_LONGEST = 600.0


@dataclass(frozen=True, kw_only=True)
class Retry:
    """Reads that failed are sent again: "times" at most, and for at most a "share" of all requests beside "reserve".

    Raises ValueError.
    """

    times: int = 1
    share: float = 0.1
    reserve: int = 10
    """Retries that may be made at once after a quiet time."""

    def __post_init__(self) -> None:
        _whole("retry's times", self.times, 1, 5)
        _whole("retry's reserve", self.reserve, 1, 10_000)
        _number("retry's share", self.share, 0, 1)


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """An upstream is left alone for "seconds" after so many failures in a row, or where a share of its requests fails;
    then one request is let through at a time, until one comes back well. Raises ValueError."""

    failures: int = 5
    share: float = 0.5
    minimum: int = 20
    """Requests within the window below which the share says nothing."""
    window: float = 10.0
    seconds: float = 10.0

    def __post_init__(self) -> None:
        _whole("breaker's failures", self.failures, 1, 10_000)
        _number("breaker's share", self.share, 0, 1)
        _whole("breaker's minimum", self.minimum, 1, 1_000_000)
        _number("breaker's window", self.window, 0, _LONGEST)
        _number("breaker's seconds", self.seconds, 0, _LONGEST)


@dataclass(frozen=True, kw_only=True)
class Bulkhead:
    """At most so many requests are with the upstream at a time, and at most "queue" wait for "seconds". Raises
    ValueError."""

    most: int
    queue: int = 0
    seconds: float = 1.0

    def __post_init__(self) -> None:
        _whole("bulkhead's most", self.most, 1, 100_000)
        _whole("bulkhead's queue", self.queue, 0, 10_000)
        _number("bulkhead's seconds", self.seconds, 0, 60)


@dataclass(frozen=True, kw_only=True)
class Resilience:
    """How long an upstream may take, and what is done beyond that. Raises ValueError."""

    connect: float = 2.0
    """Seconds until it takes a connection."""
    silence: float = 30.0
    """Seconds for which it may say nothing."""
    retry: Retry | None = None
    breaker: Breaker | None = None
    bulkhead: Bulkhead | None = None
    fallback: bool = False
    """The monolith answers reads of a move that the service fails, while the move can still go back."""

    def __post_init__(self) -> None:
        _number("connect", self.connect, 0, 60)
        _number("silence", self.silence, 0, _LONGEST)


def _whole(what: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        raise ValueError(f"a resilience's {what} is {number}; it must be from {least} to {most}")


def _number(what: str, number: float, above: float, most: float) -> None:
    if not above < number <= most:
        raise ValueError(f"a resilience's {what} is {number:g}; it must be more than {above:g} and at most {most:g}")
