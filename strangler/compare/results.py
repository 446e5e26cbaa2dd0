"""What was found, as values that become JSON and come back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One thing that is measured of an arm, or of a route of an arm."""

    name: str
    words: str
    unit: str
    more_is_better: bool = False
    judged: bool = True  # False: it says how good the measurement was, and is no property of an arm


MEASURES = {
    measure.name: measure
    for measure in (
        Measure(name="throughput", words="highest rate within the bound", unit="requests/s", more_is_better=True),
        Measure(name="p50", words="latency, p50", unit="ms"),
        Measure(name="p95", words="latency, p95", unit="ms"),
        Measure(name="p99", words="latency, p99", unit="ms"),
        Measure(name="cpu", words="CPU of all processes, a request", unit="ms"),
        Measure(name="memory", words="memory of all processes", unit="MB"),
        Measure(name="idle", words="CPU while nobody asks", unit="ms/s"),
        Measure(name="start", words="start, databases and all", unit="s"),
        Measure(name="failed", words="requests that failed", unit="%", judged=False),
        Measure(name="lag", words="sent later than due, p99", unit="ms", judged=False),
    )
}


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One figure: of an arm, in one repetition, of a route or (route "") of the arm as a whole."""

    arm: str
    route: str
    measure: str
    repetition: int
    value: float


@dataclass(frozen=True, kw_only=True)
class Results:
    """All of a comparison. The report is made from this alone."""

    about: Mapping[str, Any]  # when, on what, with which seed and sizes
    arms: Sequence[Mapping[str, str]]  # "name" and "is"; the first is what the others are held against
    routes: Sequence[Mapping[str, Any]]
    observations: Sequence[Observation]
    disk: Mapping[str, Any] = field(default_factory=dict)
    faults: Sequence[Mapping[str, Any]] = ()
    change: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Results:
        return cls(**{**told, "observations": [Observation(**each) for each in told["observations"]]})


def values(observations: Iterable[Observation], arm: str, route: str, measure: str) -> list[float]:
    """Those of one figure, in the order of repetitions."""
    found = [each for each in observations if (each.arm, each.route, each.measure) == (arm, route, measure)]
    return [each.value for each in sorted(found, key=lambda each: each.repetition)]
