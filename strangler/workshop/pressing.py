"""A shop under pressure: what waits while it restarts, what waits while people pay, and what its processes take."""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from strangler.workshop.instance import Instance
from strangler.workshop.journal import Journal
from strangler.workshop.shoppers import Shopper

BUYERS = 16
"""As many as Orchard has threads."""
_LOOKING = 4
"""At the page at once, each on a connection of its own: one process may have a thread left where another has none."""
_SETTLED = 0.5
_PATIENCE = 60.0
_BETWEEN = 0.05


def waits(url: str, routes: Sequence[str], act: Callable[[], object]) -> list[float]:
    """The longest time without an answer of each route, in seconds, while something is done."""
    over = threading.Event()
    longest = [0.0] * len(routes)

    def asking(number: int) -> None:
        answered = time.monotonic()
        while not over.is_set():
            try:
                httpx.get(url + routes[number], timeout=5, trust_env=False).raise_for_status()
            except httpx.HTTPError:
                time.sleep(_BETWEEN)
                continue
            now = time.monotonic()
            longest[number] = max(longest[number], now - answered)
            time.sleep(_BETWEEN)
            answered = now

    threads = [threading.Thread(target=asking, args=(number,)) for number in range(len(routes))]
    for thread in threads:
        thread.start()
    try:
        time.sleep(_SETTLED)
        act()
        time.sleep(_SETTLED)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    return longest


async def slowest_while_people_pay(instance: Instance, path: str, delay: float) -> tuple[float, float]:
    """Seconds until a page answers: usually, and at worst while BUYERS pay and the payment provider takes "delay".

    The buyers are new customers, whose orders stay.
    """
    url, behaviour = instance.url("orchard"), instance.url("payment") + "/behaviour"
    journal = Journal(instance.home / "problems.jsonl")
    async with httpx.AsyncClient(base_url=url, timeout=_PATIENCE, trust_env=False) as anybody:
        await _seconds(url, path)  # the first one after a restart takes longer
        usual = await _seconds(url, path)
        products = [(one["id"], one["slug"]) for one in (await anybody.get("/api/products/")).json()["results"]]
        buyers = [_buyer(url, journal, products, number) for number in range(BUYERS)]
        await asyncio.gather(*(buyer.register() for buyer in buyers))
        await anybody.put(behaviour, json={"delay": delay})
        try:
            buying = asyncio.gather(*(buyer.buy() for buyer in buyers))
            slowest = 0.0
            while not buying.done():
                slowest = max(slowest, *await asyncio.gather(*(_seconds(url, path) for _ in range(_LOOKING))))
                await asyncio.sleep(_BETWEEN)
        finally:
            await anybody.put(behaviour, json={"delay": 0})
        await asyncio.gather(*(buyer.client.aclose() for buyer in buyers))
    journal.close()
    return usual, slowest


def cpu_of(group: int, act: Callable[[], object]) -> float:
    """Seconds of CPU that a group of processes takes while something is done."""
    before = _taken(group)
    act()
    return _taken(group) - before


def _buyer(url: str, journal: Journal, products: list[tuple[int, str]], number: int) -> Shopper:
    client = httpx.AsyncClient(base_url=url, timeout=_PATIENCE, trust_env=False)
    name = f"buyer-{time.time_ns()}-{number}"
    return Shopper(name=name, client=client, journal=journal, products=products, rng=random.Random(number), pause=0)


async def _seconds(url: str, path: str) -> float:
    """How long a page takes somebody who comes anew."""
    async with httpx.AsyncClient(base_url=url, timeout=_PATIENCE, trust_env=False) as client:
        began = time.monotonic()
        await client.get(path)
        return time.monotonic() - began


def _taken(group: int) -> float:
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
