"""Strangers who look at reviews and leave: a shop that runs has visitors, and a canary needs them.

    python -m strangler.workshop.visitors http://127.0.0.1:8000 16

reads as many times a second, each time as a browser that nobody knows, until it is stopped. What they are answered
is nobody's concern here: the shoppers of the demo keep a journal.
"""

from __future__ import annotations

import asyncio
import random
import sys
from contextlib import suppress

import httpx

_VISITORS = 4


async def visit(url: str, reads_per_second: float) -> None:
    """Look at reviews for ever."""
    await asyncio.gather(*(_look_around(url, _VISITORS / reads_per_second, seed) for seed in range(_VISITORS)))


async def _look_around(url: str, every: float, seed: int) -> None:
    rng = random.Random(seed)
    async with httpx.AsyncClient(base_url=url, timeout=10, trust_env=False) as browser:
        while True:
            await asyncio.sleep(rng.uniform(0, 2 * every))
            browser.cookies.clear()
            with suppress(httpx.HTTPError):
                await browser.get(rng.choice(["/api/reviews/", f"/api/products/{rng.randint(1, 50)}/reviews/"]))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(visit(sys.argv[1], float(sys.argv[2])))
