"""Open-loop load: requests go out when they are due, however many are unanswered, and are late from then on.

A client that waits for one answer before it asks again sends less to a server that stalls, and so never sees most of
the stall (coordinated omission). Here each request has its time before the first is sent, and its latency counts from
that time: what waited in the generator has waited too.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from strangler.compare.wire import Address, Broken, Connection, Request

GIVEN_UP = 5.0
"""Seconds after which an answer is not waited for. It counts as one that took that long, and as failed."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One request. Times in seconds; "latency" from when it was due, "lag" from then to when it was really sent."""

    due: float
    lag: float
    latency: float
    status: int  # 0: none

    @property
    def good(self) -> bool:
        return 200 <= self.status < 400


async def offer(address: Address, requests: Sequence[Request], due: Sequence[float]) -> list[Sample]:
    """Send request n (of "requests", in turn) at "due[n]" seconds from now; what became of each, in that order."""
    pool = _Pool(address)
    began = time.perf_counter() + 0.02
    try:
        tasks = []
        for number, at in enumerate(due):
            wait = began + at - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            tasks.append(asyncio.create_task(_one(pool, requests[number % len(requests)], began, at)))
        return list(await asyncio.gather(*tasks))
    finally:
        pool.close()


async def saturate(address: Address, requests: Sequence[Request], seconds: float, clients: int) -> float:
    """Answers a second that clients get who ask again as soon as they are answered: what a server can do at most.

    It says nothing of latencies, and is only used to know where to look for what holds.
    """
    pool, ends, done = _Pool(address), time.perf_counter() + seconds, 0
    numbers = itertools.count()

    async def client() -> None:
        nonlocal done
        while time.perf_counter() < ends:
            with suppress(OSError, TimeoutError, Broken):
                async with asyncio.timeout(GIVEN_UP):
                    await pool.ask(requests[next(numbers) % len(requests)])
                done += time.perf_counter() < ends

    try:
        await asyncio.gather(*(client() for _ in range(clients)))
    finally:
        pool.close()
    return max(done, 1) / seconds


async def _one(pool: _Pool, request: Request, began: float, at: float) -> Sample:
    lag = time.perf_counter() - began - at
    status = 0
    try:
        async with asyncio.timeout(GIVEN_UP - lag):
            status = await pool.ask(request)
    except (OSError, TimeoutError, Broken):
        return Sample(due=at, lag=lag, latency=GIVEN_UP, status=0)
    return Sample(due=at, lag=lag, latency=time.perf_counter() - began - at, status=status)


class _Pool:
    """Connections that are kept while they are good; as many as there are requests under way."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._idle: list[Connection] = []

    async def ask(self, request: Request) -> int:
        connection = self._idle.pop() if self._idle else await Connection.to(self._address)
        try:
            answer = await connection.ask(request)
        except BaseException:
            connection.close()  # half an answer may still come
            raise
        if answer.keep:
            self._idle.append(connection)
        else:
            connection.close()
        return answer.status

    def close(self) -> None:
        for connection in self._idle:
            connection.close()
