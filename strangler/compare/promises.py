"""What the shop promises who uses it, and whether it keeps it: each promise is asked for as a person would."""

from __future__ import annotations

import enum
import itertools
import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx

from strangler.errors import StranglerError

_HIDDEN = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')
_AWAY = re.compile(r"The (reviews|messages) are away")
_PATIENCE = 1.25
"""How many times the promised time a person waits before giving up."""


class Kept(enum.StrEnum):
    """What became of one promise, from best to worst."""

    KEPT = "kept"
    POORER = "poorer"  # in time, and it says itself what is missing
    SLOW = "slow"  # right, but later than promised
    FAILED = "failed"  # an error, a wrong answer, or none


@dataclass(kw_only=True)
class Person:
    """Somebody with a browser, logged in."""

    client: httpx.Client
    slugs: list[str]
    products: Iterator[int] = field(default_factory=lambda: itertools.count(1))  # nobody reviews a product twice

    @classmethod
    def registered(cls, url: str, slugs: list[str]) -> Person:
        """Raises StranglerError where the shop takes nobody in."""
        person = cls(client=httpx.Client(base_url=url, trust_env=False), slugs=slugs)
        password, name = uuid.uuid4().hex, f"person-{uuid.uuid4().hex[:10]}"
        form = {"username": name, "email": f"{name}@orchard.example", "display_name": name}
        answer = person.submit("/register/", {**form, "password1": password, "password2": password}, 30)
        if answer.status_code != 302:
            raise StranglerError(f"nobody can register at {url}: it answers {answer.status_code}")
        return person

    def get(self, path: str, within: float) -> httpx.Response:
        return self.client.get(path, timeout=within * _PATIENCE)

    def submit(self, path: str, form: dict[str, object], within: float, page: str = "") -> httpx.Response:
        """Fill in the form that "page" (else the path itself) shows, hidden fields included."""
        hidden = dict(_HIDDEN.findall(self.get(page or path, within).text))
        return self.client.post(
            path, data={**hidden, **form}, headers={"Referer": self._referer}, timeout=within * _PATIENCE
        )

    def send(self, path: str, body: dict[str, object], within: float) -> httpx.Response:
        headers = {"X-CSRFToken": self.client.cookies.get("csrftoken") or "", "Referer": self._referer}
        return self.client.post(path, json=body, headers=headers, timeout=within * _PATIENCE)

    @property
    def _referer(self) -> str:
        return f"{self.client.base_url}"


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One thing that people count on."""

    name: str
    words: str
    within: float  # seconds
    ask: Callable[[Person, float], Kept]

    def kept(self, person: Person) -> tuple[Kept, float]:
        """Ask for it; what became of it, and how many seconds it took."""
        began = time.monotonic()
        try:
            kept = self.ask(person, self.within)
        except httpx.HTTPError:
            kept = Kept.FAILED
        seconds = time.monotonic() - began
        late = seconds > self.within and kept is not Kept.FAILED
        return (Kept.SLOW if late else kept), seconds


def _page(person: Person, within: float) -> Kept:
    return _shown(person.get(f"/products/{person.slugs[0]}/", within))


def _profile(person: Person, within: float) -> Kept:
    return _shown(person.get("/profile/", within))


def _shown(answer: httpx.Response) -> Kept:
    if answer.status_code != 200:
        return Kept.FAILED
    return Kept.POORER if _AWAY.search(answer.text) else Kept.KEPT


def _reads(path: str) -> Callable[[Person, float], Kept]:
    return lambda person, within: _as(person.get(path, within).status_code == 200)


def _review(person: Person, within: float) -> Kept:
    body = {"reference": str(uuid.uuid4()), "product": next(person.products), "rating": 4, "title": "Fine", "body": ""}
    return _as(person.send("/api/reviews/", body, within).status_code == 201)


def _order(person: Person, within: float) -> Kept:
    product = f"/products/{person.slugs[1]}/"
    if person.submit(f"{product}add/", {"quantity": 1}, within, page=product).status_code != 302:
        return Kept.FAILED
    return _as(person.submit("/checkout/", {"address": "1 Orchard Lane, Appleby"}, within).status_code == 302)


def _as(kept: bool) -> Kept:
    return Kept.KEPT if kept else Kept.FAILED


PROMISES = (
    Promise(name="search", words="search for products", within=2, ask=_reads("/search/?q=oak")),
    Promise(name="page", words="see a product, with its reviews", within=2, ask=_page),
    Promise(name="profile", words="see one's own reviews and messages", within=2, ask=_profile),
    Promise(name="order", words="put into the cart, check out", within=4, ask=_order),
    Promise(name="review", words="read a review", within=2, ask=_reads("/api/reviews/5/")),
    Promise(name="write", words="write a review", within=2, ask=_review),
)
"""Two that have nothing to do with reviews or messages, two that show them, and two that are the reviews' own."""
