"""What is done by the services' OpenAPI documents."""

from __future__ import annotations

from dataclasses import dataclass

HOW = ("", "report", "refuse")


@dataclass(frozen=True, kw_only=True)
class Describe:
    """A page at the policy's path, and the merged document at openapi.json below it."""

    title: str = "API"


@dataclass(frozen=True, kw_only=True)
class Validate:
    """Requests and answers beside the document of the upstream that they go to. Raises ValueError."""

    requests: str = "report"
    """"report" only counts and logs, "refuse" answers 400, "" looks at none."""
    answers: str = "report"
    """"refuse" makes it 502."""

    def __post_init__(self) -> None:
        for name in ("requests", "answers"):
            if getattr(self, name) not in HOW:
                raise ValueError(f'{name} are validated with "{getattr(self, name)}"; write "report", "refuse" or ""')


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong for some requests. Raises ValueError."""

    share: float = 1.0
    """0 to 1; the same request of the same client always, or never."""
    delay: float = 0.0
    """Seconds before it goes on."""
    status: int = 0
    """Answered with that, without anybody being asked."""

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"a fault is for a share of {self.share:g} of the requests; it must be from 0 to 1")
        if not 0 <= self.delay <= LONGEST_DELAY:
            raise ValueError(f"a fault takes {self.delay:g} seconds; it must be from 0 to {LONGEST_DELAY}")
        if self.status and not 400 <= self.status <= 599:
            raise ValueError(f"a fault answers {self.status}; it must be from 400 to 599")


LONGEST_DELAY = 60


@dataclass(frozen=True, kw_only=True)
class Mock:
    """Stands in for the upstream, for exercises and for what is not built yet."""

    answers: bool = True
    """From the examples in the upstream's document; without, only the faults."""
    faults: tuple[Fault, ...] = ()
