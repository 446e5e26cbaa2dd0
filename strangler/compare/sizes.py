"""How much is measured: what fits into a quarter of an hour, or into three minutes."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from strangler.compare.kinds import BESIDE


@dataclass(frozen=True, kw_only=True)
class Size:
    """Times in seconds. A turn of an arm is: idle, then for each route warm-up, a fixed rate, and the search."""

    name: str
    shop: str = "S"  # of the seed
    repetitions: int
    starts: int  # times that each arm is started
    idle: float
    warm_up: float
    steady: float  # at the rate that is the same for all arms
    probe: float  # of each rate that the search for the highest one tries
    probes: int
    bound: float = 0.1  # the latency that 95 of 100 requests must keep
    share: float = 0.5  # the fixed rate, of what the slowest arm can do
    fault: float = 1.5  # how long people ask while a fault holds
    faults: tuple[str, ...] = ("slowed", "killed", "cut off", "filled")
    failing: tuple[str, ...] = ()  # the parts that fail in turn; none named: all
    beside: tuple[str, ...] = tuple(name for name in BESIDE if name != "visitors")  # what runs meanwhile of these

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


FULL = Size(name="full", repetitions=10, starts=3, idle=0.5, warm_up=0.3, steady=1.5, probe=0.8, probes=4)
QUICK = Size(
    name="quick",
    repetitions=3,
    starts=1,
    idle=0.3,
    warm_up=0.2,
    steady=0.6,
    probe=0.4,
    probes=2,
    fault=0.6,
    faults=("killed",),
    beside=("payment",),
    failing=("proxy", "orchard", "orchard-database", "reviews", "reviews-database", "broker"),
)
