"""Simulated people who browse, buy, review and vote through the proxy, each in a session of their own.

They come as a browser does: forms with their CSRF tokens, cookies kept, redirects followed by hand.
"""

from __future__ import annotations

import asyncio
import random
import re
import signal
import sys
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from strangler.deploy.supervisor import Process
from strangler.workshop.instance import ROOT, Instance
from strangler.workshop.journal import Entry, Journal, Outcome, now

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_NUMBER = re.compile(r'name="number" value="([^"]+)"')
_SECONDS = 30.0
_EXPECTED = frozenset({200, 201, 204, 302})


@dataclass(kw_only=True)
class Written:
    """A review that a shopper wrote and remembers."""

    id: int
    reference: str
    values: dict[str, Any]


@dataclass(kw_only=True)
class Shopper:
    """One person. "products" are (number, slug) pairs; nobody reviews a product twice."""

    name: str
    client: httpx.AsyncClient
    journal: Journal
    products: list[tuple[int, str]]
    rng: random.Random
    pause: float
    mine: list[Written] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    voted: set[int] = field(default_factory=set)

    async def shop(self, stop: asyncio.Event) -> None:
        """Register, then do one thing after the other until told to stop."""
        await self.register()
        deeds = [
            self.browse,
            self.search,
            self.review,
            self.review_by_form,
            self.vote,
            self.edit,
            self.delete,
            self.buy,
        ]
        weights = [30, 8, 22, 5, 18, 10, 3, 4]
        while not stop.is_set():
            await self.rng.choices(deeds, weights)[0]()
            await asyncio.sleep(self.rng.uniform(0, 2 * self.pause))

    async def browse(self) -> None:
        number, slug = self.rng.choice(self.products)
        await self._ask("GET", f"/products/{slug}/", "page")
        answer = await self._ask("GET", f"/api/products/{number}/reviews/", "reviews of a product")
        if answer is not None and answer.status_code == 200:
            own = {review.id for review in self.mine}
            self.others += [review["id"] for review in answer.json()["results"] if review["id"] not in own]

    async def search(self) -> None:
        await self._ask("GET", f"/search/?q={self.rng.choice(['oak', 'lamp', 'garden', 'tea'])}", "search")
        await self._ask("GET", "/api/reviews/", "newest reviews")

    async def review(self) -> None:
        if not self.products:
            return
        number, _ = self.products.pop(self.rng.randrange(len(self.products)))
        reference = str(uuid.uuid4())
        values = {
            "product": number,
            "rating": self.rng.randint(1, 5),
            "title": f"Review {reference[:8]}",
            "body": "Good.",
        }
        answer = await self._write(
            "POST", "/api/reviews/", {**values, "reference": reference}, kind="review", key=reference, values=values
        )
        if answer is not None and answer.is_success:
            self.mine.append(Written(id=answer.json()["id"], reference=reference, values=values))

    async def review_by_form(self) -> None:
        if not self.products:
            return
        number, slug = self.products.pop(self.rng.randrange(len(self.products)))
        reference = str(uuid.uuid4())
        page = await self._ask("GET", f"/products/{slug}/", "page")
        if page is None or (token := _TOKEN.search(page.text)) is None:
            return
        values = {"product": number, "rating": 4, "title": f"Form {reference[:8]}", "body": "Written in the shop."}
        form = {**values, "reference": reference, "csrfmiddlewaretoken": token[1]}
        await self._write(
            "POST", f"/products/{slug}/review/", form, kind="review", key=reference, values=values, form=True
        )

    async def vote(self) -> None:
        fresh = [review for review in self.others if review not in self.voted]
        if not fresh:
            return
        review, helpful = self.rng.choice(fresh), self.rng.random() < 0.7
        self.voted.add(review)
        reference = str(uuid.uuid4())
        await self._write(
            "POST",
            f"/api/reviews/{review}/votes/",
            {"reference": reference, "helpful": helpful},
            kind="vote",
            key=reference,
            values={"review": review, "helpful": helpful},
            refusals={404},  # its author has deleted it meanwhile
        )

    async def edit(self) -> None:
        if not self.mine:
            return
        written = self.rng.choice(self.mine)
        change = {"rating": self.rng.randint(1, 5), "body": f"Edited {uuid.uuid4()}"}
        values = {**written.values, **change}
        answer = await self._write(
            "PATCH", f"/api/reviews/{written.id}/", change, kind="review", key=written.reference, values=values
        )
        if answer is not None and answer.is_success:
            written.values = values

    async def delete(self) -> None:
        if not self.mine:
            return
        written = self.mine.pop(self.rng.randrange(len(self.mine)))
        await self._write(
            "DELETE",
            f"/api/reviews/{written.id}/",
            None,
            kind="review",
            key=written.reference,
            values={"id": written.id},
            deleted=True,
        )

    async def buy(self) -> None:
        _, slug = self.rng.choice(self.products)
        page = await self._ask("GET", f"/products/{slug}/", "page")
        if page is None or (token := _TOKEN.search(page.text)) is None:
            return
        form = {"csrfmiddlewaretoken": token[1], "quantity": 1}
        if await self._ask("POST", f"/products/{slug}/add/", "add to cart", data=form) is None:
            return
        page = await self._ask("GET", "/checkout/", "checkout")
        if page is None or (number := _NUMBER.search(page.text)) is None:
            return
        form = {"csrfmiddlewaretoken": self._csrf(page), "number": number[1], "address": "1 Orchard Lane, Appleby"}
        # Somebody else may have bought the last one.
        await self._write("POST", "/checkout/", form, kind="order", key=number[1], form=True, refusals={409})

    async def register(self) -> None:
        page = await self._ask("GET", "/register/", "register")
        if page is None:
            return
        password = uuid.uuid4().hex
        form = {
            "csrfmiddlewaretoken": self._csrf(page),
            "username": self.name,
            "email": f"{self.name}@orchard.example",
            "display_name": self.name,
            "password1": password,
            "password2": password,
        }
        await self._ask("POST", "/register/", "register", data=form)

    async def _write(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        *,
        kind: str,
        key: str,
        values: dict[str, Any] | None = None,
        deleted: bool = False,
        form: bool = False,
        refusals: Collection[int] = (),
    ) -> httpx.Response | None:
        content: dict[str, Any] = {"data": body} if form else {"json": body} if body is not None else {}
        checked = {"kind": kind, "key": key, "values": values or {}, "deleted": deleted}
        return await self._ask(method, path, f"{method} {kind}", checked=checked, refusals=refusals, **content)

    async def _ask(
        self,
        method: str,
        path: str,
        what: str,
        *,
        checked: dict[str, Any] | None = None,
        refusals: Collection[int] = (),
        **content: Any,
    ) -> httpx.Response | None:
        """The answer, None where there was none; either way it stands in the journal.

        "refusals" are the statuses that other people's doings explain. Any other refusal is a failure: a shopper
        who is told 404 about a review of theirs has met a server that lags behind.
        """
        headers = {"Referer": str(self.client.base_url)}
        if method != "GET" and (token := self.client.cookies.get("csrftoken")):
            headers["X-CSRFToken"] = token
        began = now()
        answer: httpx.Response | None = None
        try:
            answer = await self.client.request(method, path, headers=headers, **content)
            status = answer.status_code
        except httpx.HTTPError as error:
            status, what = 0, f"{what}: {type(error).__name__}"
        outcome = Outcome.FAILED
        if status in _EXPECTED:
            outcome = Outcome.ACKNOWLEDGED
        elif status in refusals:
            outcome = Outcome.REFUSED
        self.journal.note(
            Entry(at=now(), seconds=now() - began, outcome=outcome, what=what, status=status, **(checked or {}))
        )
        return answer

    def _csrf(self, page: httpx.Response) -> str:
        found = _TOKEN.search(page.text)
        return found[1] if found else ""


async def run(url: str, journal: Journal, shoppers: int, pause: float, seed: int) -> None:
    """Let that many people shop until SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as people:
        products = await _products(url)
        for n in range(shoppers):
            people.create_task(
                _one(url, journal, f"shopper-{seed}-{n}", products, pause, random.Random(seed * 1000 + n), stop)
            )


async def _one(  # noqa: PLR0917
    url: str,
    journal: Journal,
    name: str,
    products: list[tuple[int, str]],
    pause: float,
    rng: random.Random,
    stop: asyncio.Event,
) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=_SECONDS, trust_env=False) as client:
        shopper = Shopper(name=name, client=client, journal=journal, products=list(products), rng=rng, pause=pause)
        await shopper.shop(stop)


async def _products(url: str) -> list[tuple[int, str]]:
    async with httpx.AsyncClient(base_url=url, timeout=_SECONDS, trust_env=False) as client:
        found: list[tuple[int, str]] = []
        path = "/api/products/"
        while path and len(found) < 400:
            page = (await client.get(path)).json()
            found += [(product["id"], product["slug"]) for product in page["results"]]
            path = page["next"]
        return found


def process(instance: Instance, journal: Path, *, people: int, pause: float, seed: int) -> Process:
    """The program that runs them; another seed makes other people, whom the shop does not know yet."""
    arguments = [instance.url("proxy"), str(journal), str(people), str(pause), str(seed)]
    return Process(
        name="shoppers",
        command=[sys.executable, "-m", "strangler.workshop.shoppers", *arguments],
        environment=instance.environment(),
        directory=ROOT,
    )


def main() -> None:
    """URL JOURNAL SHOPPERS PAUSE SEED"""
    url, path, shoppers, pause, seed = sys.argv[1:]
    journal = Journal(Path(path))
    try:
        asyncio.run(run(url, journal, int(shoppers), float(pause), int(seed)))
    finally:
        journal.close()


if __name__ == "__main__":
    main()
