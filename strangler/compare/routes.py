"""What is asked for: a light and a heavy route that move to the service, and a page that stays and needs it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from strangler.compare.wire import Address, Broken, Connection, Request
from strangler.errors import StranglerError

_SLUG = re.compile(r'"/products/([\w-]+)/"')
_LIGHT, _HEAVY, _PAGES = 200, 10, 20
"""So many different rows, pages of a list, and products are asked for in turn."""


class DifferentAnswers(StranglerError):
    """Two arms answer the same request differently, so they are not the same shop."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """One route that is measured, by several addresses in turn."""

    name: str
    is_: str
    requests: tuple[Request, ...]


def routes(slugs: Sequence[str]) -> list[Route]:
    """Those of Orchard; "slugs" are of products whose pages are asked for."""
    return [
        Route(
            name="light",
            is_="GET /api/reviews/<id>/: one row with two names. It moves to the service.",
            requests=tuple(Request(path=f"/api/reviews/{number}/") for number in range(1, _LIGHT + 1)),
        ),
        Route(
            name="heavy",
            is_="GET /api/reviews/?page=<n>: twenty rows with names and counted votes, and how many rows there are. "
            "It moves "
            "to the service.",
            requests=tuple(Request(path=f"/api/reviews/?page={number}") for number in range(1, _HEAVY + 1)),
        ),
        Route(
            name="page",
            is_="GET /products/<slug>/: a page of the shop with the product's reviews. It stays with Orchard, which "
            "asks the "
            "service for them.",
            requests=tuple(Request(path=f"/products/{slug}/") for slug in slugs[:_PAGES]),
        ),
    ]


def slugs_of(address: Address) -> list[str]:
    """Products that the shop lists."""
    return list(dict.fromkeys(_SLUG.findall(_body(address, Request(path="/products/")).decode())))


def refuse_different(arms: Sequence[tuple[str, Address]], measured: Sequence[Route]) -> None:
    """Raises DifferentAnswers where the interface's answers are not the same everywhere, but for addresses in them."""
    for route in measured:
        for request in (route.requests[0], route.requests[-1]):
            if not request.path.startswith("/api/"):
                continue
            (first, expected), *others = [(name, _essence(_body(address, request))) for name, address in arms]
            for name, found in others:
                if found != expected:
                    raise DifferentAnswers(f'"{request.path}" is answered differently by "{first}" and by "{name}"')


def _essence(body: bytes) -> object:
    try:
        told = json.loads(body)
    except ValueError:
        return body
    # A page of a list names its neighbours by the address under which it was asked.
    return {key: value for key, value in told.items() if key not in {"next", "previous"}}


def _body(address: Address, request: Request) -> bytes:
    async def ask() -> bytes:
        connection = await Connection.to(address)
        try:
            answer = await asyncio.wait_for(connection.ask(request), 20)
        finally:
            connection.close()
        if answer.status != 200:
            raise DifferentAnswers(f'"{request.path}" is answered {answer.status} on port {address[1]}')
        return answer.body

    try:
        return asyncio.run(ask())
    except (OSError, TimeoutError, Broken) as error:
        raise DifferentAnswers(f'"{request.path}" is not answered on port {address[1]} ({error})') from error
