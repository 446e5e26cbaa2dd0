"""One arm's turn: what it does when idle, and for each route its latencies, its CPU time and its highest rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from strangler.compare.arms import Arm
from strangler.compare.capacity import highest
from strangler.compare.load import Sample, offer, saturate
from strangler.compare.processes import cpu_seconds, memory
from strangler.compare.results import Observation
from strangler.compare.routes import Route
from strangler.compare.schedule import arrivals, quantile
from strangler.compare.sizes import Size

_CLIENTS = 8
_SLACK = (0.4, 1.4)
"""Between which shares of what eight busy clients get, the highest rate within the bound is looked for."""


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Requests a second of one route."""

    steady: float  # the same for all arms
    saturated: Mapping[str, float]  # by arm: what clients got that always waited for an answer


def calibrate(arms: Sequence[Arm], route: Route, size: Size) -> Rates:
    """Find out roughly what each arm can do; it warms them up as well."""
    saturated = {}
    for arm in arms:
        with arm.awake():
            asyncio.run(saturate(arm.address, route.requests, size.warm_up + 0.5, _CLIENTS))
            saturated[arm.kind.name] = asyncio.run(
                saturate(arm.address, route.requests, max(size.steady, 1.0), _CLIENTS)
            )
    return Rates(steady=size.share * min(saturated.values()), saturated=saturated)


def turn(  # noqa: PLR0917
    arm: Arm, routes: Sequence[Route], rates: Mapping[str, Rates], size: Size, repetition: int, seed: int
) -> Iterator[Observation]:
    """Measure it once, awake and alone."""
    name = arm.kind.name
    with arm.awake():
        roots = arm.roots()
        began, used = time.perf_counter(), cpu_seconds(roots)
        time.sleep(size.idle)
        idle = (cpu_seconds(roots) - used) / (time.perf_counter() - began)
        yield Observation(arm=name, route="", measure="idle", repetition=repetition, value=1000 * idle)
        for route in routes:
            # The same for every arm, and another one for each repetition.
            key = f"{seed} {repetition} {route.name}"
            for measure, value in _route(arm, route, rates[route.name], size, key):
                yield Observation(arm=name, route=route.name, measure=measure, repetition=repetition, value=value)
        yield Observation(arm=name, route="", measure="memory", repetition=repetition, value=memory(roots) / 2**20)


def _route(arm: Arm, route: Route, rates: Rates, size: Size, key: str) -> Iterator[tuple[str, float]]:
    def load(rate: float, seconds: float, what: str) -> list[Sample]:
        return asyncio.run(offer(arm.address, route.requests, arrivals(rate, seconds, f"{key} {what}")))

    load(rates.steady, size.warm_up, "warm-up")
    used = cpu_seconds(arm.roots())
    steady = load(rates.steady, size.steady, "steady")
    used = cpu_seconds(arm.roots()) - used
    yield from summed_up(steady, used)
    saturated = rates.saturated[arm.kind.name]
    yield (
        "throughput",
        highest(
            lambda rate: within(load(rate, size.probe, "probe"), size.bound),
            low=_SLACK[0] * saturated,
            high=_SLACK[1] * saturated,
            probes=size.probes,
        ),
    )


def summed_up(samples: Sequence[Sample], used: float) -> Iterator[tuple[str, float]]:
    """The measures of requests at a fixed rate, for which an arm used so many seconds of CPU. Pure."""
    if not samples:
        return
    latencies = [1000 * sample.latency for sample in samples]
    for measure, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        yield measure, quantile(latencies, share)
    yield "cpu", 1000 * used / len(samples)
    yield "failed", 100 * sum(not sample.good for sample in samples) / len(samples)
    yield "lag", 1000 * quantile([sample.lag for sample in samples], 0.99)


def within(samples: Sequence[Sample], bound: float) -> bool:
    """Whether all were answered well, and 95 of 100 within the bound, in seconds from when they were due. Pure."""
    return all(sample.good for sample in samples) and (
        not samples or quantile([sample.latency for sample in samples], 0.95) <= bound
    )
