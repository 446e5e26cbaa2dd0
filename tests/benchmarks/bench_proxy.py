"""The proxy against stock mitmdump with a two-way addon: rates, CPU, latency added, and memory that has to stay flat.
Faster engines, each against itself without routes of the toolkit's.

Needs wrk, nginx, haproxy and taskset. The proxy has core 0 for itself; the upstream and the load share core 1.
The arms are interleaved, so that a noisy machine is noisy for all of them.

    PYTHONPATH=.:proxy .venv/bin/python tests/benchmarks/bench_proxy.py [--part memory --requests 100000]
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from engine_arms import envoy, haproxy, plain_envoy, plain_haproxy
from proxy_arms import Load, Running, load, mitmdump, nginx, ours
from strangler_proxy.routes import BUCKETS

ROUNDS = 3
SAMPLES = 10
STOCK = "mitmdump, two-way addon"
MANY = "ours, 10,000 routes"
FEW = "10 routes"
PARTS = ("rates", "shares", "engines", "latency", "memory")

Start = Callable[[], AbstractContextManager[Running]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="of load on an arm in each of the rounds")
    parser.add_argument("--requests", type=int, default=100_000, help="over which memory is looked at")
    parser.add_argument("--longest", type=float, default=300.0, help="seconds of an arm whose memory is looked at")
    parser.add_argument("--part", choices=PARTS, action="append", help="those alone")
    given = parser.parse_args()
    parts = given.part or PARTS
    missing = [tool for tool in ("wrk", "nginx", "haproxy", "taskset") if shutil.which(tool) is None]
    if missing:
        how = "apt-get install wrk nginx-light haproxy"
        sys.stderr.write(f"bench_proxy: {', '.join(missing)} not found; install it ({how})\n")
        return 1
    with tempfile.TemporaryDirectory() as name, nginx(Path(name)) as upstream:
        folder, port = Path(name), upstream.port
        arms: dict[str, Start] = {
            STOCK: lambda: mitmdump(folder, port),
            "ours, 10 routes": lambda: ours(folder, port),
            MANY: lambda: ours(folder, port, routes=10_000),
            "ours, canary reads": lambda: ours(folder, port, weight=BUCKETS),
            "ours, python -O": lambda: ours(folder, port, flags=("-O",)),
        }
        if "rates" in parts:
            _render_rates(_rates(arms, given.seconds))
        if "shares" in parts:
            shares: dict[str, Start] = {
                "10 routes": lambda: ours(folder, port),
                "10 % shadowed": lambda: ours(folder, port, shadow=BUCKETS // 10),
                "100 % shadowed": lambda: ours(folder, port, shadow=BUCKETS),
                "canary of 10 %": lambda: ours(folder, port, weight=BUCKETS // 10),
                "canary of 50 %": lambda: ours(folder, port, weight=BUCKETS // 2),
            }
            _render_shares(_shares(shares, given.seconds))
        engines: dict[str, dict[str, Start]] = {
            "HAProxy": {
                "plain": lambda: plain_haproxy(folder, port),
                "plain, repeating reads": lambda: plain_haproxy(folder, port, retries=True),
                FEW: lambda: haproxy(folder, port),
                "10,000 routes": lambda: haproxy(folder, port, count=10_000),
                "10 routes, placeholder": lambda: haproxy(folder, port, first="/<area>/"),
                "10,000, placeholder": lambda: haproxy(folder, port, count=10_000, first="/<area>/"),
            },
            "Envoy": {
                "plain": lambda: plain_envoy(folder, port),
                "plain, repeating reads": lambda: plain_envoy(folder, port, retries=True),
                FEW: lambda: envoy(folder, port),
                "10,000 routes": lambda: envoy(folder, port, count=10_000),
            },
        }
        for engine, its_arms in engines.items() if "engines" in parts else ():
            _render_engine(engine, _rates(its_arms, given.seconds))
        if "latency" in parts:
            _render_latency(upstream, lambda: ours(folder, port), given.seconds)
        with nginx(folder, closes=True) as closing:
            memory: dict[str, tuple[Start, bool]] = {
                "32 connections": (lambda: ours(folder, port), False),
                "a connection a request": (lambda: ours(folder, port), True),
                "an upstream that closes": (lambda: ours(folder, closing.port), False),
                "canary reads": (lambda: ours(folder, port, weight=BUCKETS), False),
                "with policies": (lambda: ours(folder, port, policies=True), False),
            }
            for what, (start, close) in memory.items() if "memory" in parts else ():
                with start() as server:
                    _render_memory(what, _memory(server, given.requests, given.longest, close=close))
    return 0


def _rates(arms: dict[str, Start], seconds: float) -> dict[str, tuple[float, float]]:
    """For each arm the medians of (requests a second, CPU microseconds a request)."""
    measured: dict[str, list[tuple[float, float]]] = {arm: [] for arm in arms}
    for _ in range(ROUNDS):
        for arm, start in arms.items():
            with start() as server:
                load(server.url, 3.0)  # warm
                before = server.cpu_seconds
                came = load(server.url, seconds)
                measured[arm].append((came.rate, (server.cpu_seconds - before) / came.requests * 1e6))
    return {
        arm: (statistics.median(rate for rate, _ in rounds), statistics.median(cost for _, cost in rounds))
        for arm, rounds in measured.items()
    }


def _shares(arms: dict[str, Start], seconds: float) -> dict[str, tuple[float, float, float]]:
    """For each arm the medians of (requests a second, CPU microseconds a request, shadows compared a request)."""
    measured: dict[str, list[tuple[float, float, float]]] = {arm: [] for arm in arms}
    for _ in range(ROUNDS):
        for arm, start in arms.items():
            with start() as server:
                load(server.url, 3.0, many=True)  # warm
                before, (shadowed, _) = server.cpu_seconds, server.shadows
                came = load(server.url, seconds, many=True)
                cost = (server.cpu_seconds - before) / came.requests * 1e6
                measured[arm].append((came.rate, cost, (server.shadows[0] - shadowed) / came.requests))
    return {
        arm: (
            statistics.median(rate for rate, _, _ in rounds),
            statistics.median(cost for _, cost, _ in rounds),
            statistics.median(share for _, _, share in rounds),
        )
        for arm, rounds in measured.items()
    }


def _memory(server: Running, requests: int, longest: float, *, close: bool) -> list[tuple[int, float]]:
    """(requests so far, megabytes) after a warm-up and then at about every tenth; fewer where it takes too long."""
    done = load(server.url, 2.0, close=close).requests
    rate = done / 2.0
    seen = [(done, server.megabytes)]
    until = time.monotonic() + longest
    while done < requests and time.monotonic() < until:
        done += load(server.url, max(1, round(requests / SAMPLES / rate)), close=close).requests
        seen.append((done, server.megabytes))
    return seen


def _render_rates(medians: dict[str, tuple[float, float]]) -> None:
    stock_rate, stock_cost = medians[STOCK]
    _say(f"{'arm':<26}{'requests/s':>12}{'CPU µs/request':>16}{'rate of stock':>15}{'CPU of stock':>14}")
    for arm, (rate, cost) in medians.items():
        _say(f"{arm:<26}{rate:>12,.0f}{cost:>16,.0f}{rate / stock_rate:>15.2f}{cost / stock_cost:>14.2f}")
    few, many = medians["ours, 10 routes"][1], medians[MANY][1]
    _say(f"10,000 routes cost {many / few:.2f} times the CPU of 10")


def _render_shares(medians: dict[str, tuple[float, float, float]]) -> None:
    """Where more is to be shadowed than there is time for, the rest is dropped: the last column says what was not."""
    whole = next(iter(medians.values()))
    _say(f"{'a thousand clients':<26}{'requests/s':>12}{'CPU µs/request':>16}{'CPU beside':>12}{'shadowed':>10}")
    for arm, (rate, cost, share) in medians.items():
        _say(f"{arm:<26}{rate:>12,.0f}{cost:>16,.0f}{cost / whole[1]:>12.2f}{share:>10.1%}")


def _render_engine(engine: str, medians: dict[str, tuple[float, float]]) -> None:
    few_rate, few_cost = medians[FEW]
    _say(f"{engine:<26}{'requests/s':>12}{'CPU µs/request':>16}{'rate of 10':>15}{'CPU of 10':>14}")
    for arm, (rate, cost) in medians.items():
        _say(f"{arm:<26}{rate:>12,.0f}{cost:>16,.1f}{rate / few_rate:>15.2f}{cost / few_cost:>14.2f}")


def _render_latency(upstream: Running, start: Start, seconds: float) -> None:
    _say("one connection: p50, p99 and longest latency in ms")
    straight = load(upstream.url, seconds, connections=1)
    with start() as server:
        load(server.url, 3.0, connections=1)
        through = load(server.url, seconds, connections=1)
    for what, came in (("upstream alone", straight), ("through the proxy", through)):
        _say(f"  {what:<20}{_milliseconds(came)}")


def _milliseconds(came: Load) -> str:
    return "".join(f"{seconds * 1e3:>9.2f}" for seconds in (came.p50, came.p99, came.longest))


def _render_memory(what: str, seen: list[tuple[int, float]]) -> None:
    told = ", ".join(f"{megabytes:.1f}" for _, megabytes in seen)
    _say(f"memory, {what}: {seen[0][0]:,} to {seen[-1][0]:,} requests, MB: {told}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
