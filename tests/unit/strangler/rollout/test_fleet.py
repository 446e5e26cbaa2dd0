"""Several proxies asked at once; the fakes implement the real interface."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pytest
from strangler_proxy.cohorts import Cohort, Cohorts
from strangler_proxy.gateway.keys import KeyPage
from strangler_proxy.gateway.usage import UsageReport
from strangler_proxy.routes import MoveRoutes, RouteTable, Upstream
from strangler_proxy.shadowed import Noise, Shadowed

from strangler.rollout.engines.base import EngineError
from strangler.rollout.fleet import Fleet

MONOLITH = Upstream(name="monolith", url="http://127.0.0.1:8001")
REVIEWS = Upstream(name="reviews", url="http://127.0.0.1:8002")
EMPTY = RouteTable(default="monolith", upstreams=(MONOLITH,))
MOVED = RouteTable(
    default="monolith",
    upstreams=(MONOLITH, REVIEWS),
    moves=(
        MoveRoutes(
            move="0001_reviews",
            term=2,
            n=0,
            owner="reviews",
            candidate="monolith",
            weight=0,
            routes=("/api/reviews/",),
        ),
    ),
)


@dataclass
class MemoryEngine:
    """An engine that routes nothing and remembers everything."""

    name: str
    away: bool = False
    table: RouteTable = EMPTY
    applied: int = 0
    held: set[str] = field(default_factory=set)
    there: dict[str, int] = field(default_factory=dict)
    keys: int = 0
    counted: Cohorts = field(default_factory=Cohorts)

    def apply(self, table: RouteTable) -> None:
        self._answer()
        self.table = table
        self.applied += 1

    def observe(self) -> RouteTable:
        self._answer()
        return self.table

    def hold(self, move: str, seconds: float) -> None:
        self._answer()
        self.held.add(move)

    def release(self, move: str) -> None:
        self._answer()
        self.held.discard(move)

    def shadowed(self, move: str) -> Shadowed:
        self._answer()
        return Shadowed(compared=2, noise=(Noise(endpoint="GET /", path="$.at", count=1),))

    def describe(self, upstream, document) -> None:
        self._answer()
        self.described = (upstream, document)

    def purge(self, *, route: str = "", tag: str = "") -> int:
        self._answer()
        return 3 if (route, tag) == ("/api/", "") else 1

    def bring_keys(self, page: Callable[[int], KeyPage | None]) -> None:
        self._answer()
        self.keys = 0 if page(0) is None else 1

    def collect_usage(self, keep: Callable[[UsageReport], None]) -> None:
        self._answer()
        keep(UsageReport())

    def moments(self) -> dict[str, int]:
        self._answer()
        return {self.name: 7}

    def arrived(self, move: str, moments: Mapping[str, int]) -> None:
        self._answer()
        self.there = dict(moments)

    def cohorts(self, move: str, version: tuple[int, int]) -> Cohorts:
        self._answer()
        return self.counted

    def _answer(self) -> None:
        if self.away:
            raise EngineError(f"the proxy {self.name} does not answer")


def test_a_proxy_that_is_away_is_named_and_the_rest_move_on():
    here, away = MemoryEngine("a"), MemoryEngine("b", away=True)
    with pytest.raises(EngineError, match=r"^the proxy b does not answer$"):
        Fleet(engines=[away, here]).apply(MOVED)
    assert (here.table, away.table) == (MOVED, EMPTY)


def test_a_hold_reaches_every_proxy_and_so_does_its_release():
    engines = [MemoryEngine("a"), MemoryEngine("b")]
    fleet = Fleet(engines=engines)
    fleet.hold("0001_reviews", 5)
    assert [engine.held for engine in engines] == [{"0001_reviews"}] * 2
    fleet.release("0001_reviews")
    assert [engine.held for engine in engines] == [set()] * 2


def test_refresh_gives_the_table_only_to_proxies_that_have_another():
    current, stale = MemoryEngine("a", table=MOVED), MemoryEngine("b")
    fleet = Fleet(engines=[current, stale])
    fleet.refresh(MOVED)
    assert (current.applied, stale.applied) == (0, 1)
    assert fleet.observe() == {"a": MOVED, "b": MOVED}


@pytest.mark.parametrize(
    ("mine", "theirs", "told"),
    [
        (MOVED, MOVED, MOVED),
        (MOVED, EMPTY, EMPTY),
        (MOVED, replace(MOVED, moves=(replace(MOVED.moves[0], term=1),)), "theirs"),
        (MOVED, replace(MOVED, upstreams=(MONOLITH, replace(REVIEWS, url="http://127.0.0.1:9"))), "theirs"),
        (MOVED, replace(MOVED, moves=(replace(MOVED.moves[0], term=3),)), MOVED),
        (EMPTY, MOVED, EMPTY),
    ],
    ids=["the same", "nothing", "an older one", "another address", "a newer one", "more"],
)
def test_the_hindmost_table_is_told(mine, theirs, told):
    fleet = Fleet(engines=[MemoryEngine("a", table=mine), MemoryEngine("b", table=theirs)])
    assert fleet.hindmost(mine) == (theirs if told == "theirs" else told)


def test_a_purge_reaches_every_proxy_and_tells_what_it_came_to():
    fleet = Fleet(engines=[MemoryEngine("a"), MemoryEngine("b")])
    assert (fleet.purge(route="/api/"), fleet.purge(tag="p1")) == (6, 2)


def test_a_document_reaches_every_proxy():
    engines = [MemoryEngine("a"), MemoryEngine("b")]
    Fleet(engines=engines).describe("reviews", {"paths": {}})
    assert [engine.described for engine in engines] == [("reviews", {"paths": {}})] * 2


def test_a_fleet_without_proxies_has_nothing_to_do():
    Fleet(engines=[]).apply(MOVED)


def test_the_cohorts_of_all_proxies_are_one():
    first = Cohorts(candidate=Cohort(requests=3, failed=1), control=Cohort(requests=2))
    second = Cohorts(candidate=Cohort(requests=4), control=Cohort(requests=5, refused=2))
    fleet = Fleet(engines=[MemoryEngine("a", counted=first), MemoryEngine("b", counted=second)])
    both = fleet.cohorts("0001_reviews", (2, 0))
    assert (both.candidate.requests, both.candidate.failed) == (7, 1)
    assert (both.control.requests, both.control.refused) == (7, 2)


def test_a_proxy_that_does_not_tell_leaves_nothing_to_judge():
    with pytest.raises(EngineError, match="the proxy b does not answer"):
        Fleet(engines=[MemoryEngine("a"), MemoryEngine("b", away=True)]).cohorts("0001_reviews", (2, 0))


def test_every_proxy_is_told_the_moments_of_all():
    engines = [MemoryEngine("a"), MemoryEngine("b")]
    fleet = Fleet(engines=engines)
    fleet.arrived("0001_reviews", fleet.moments())
    assert [engine.there for engine in engines] == [{"a": 7, "b": 7}] * 2


def test_what_shadows_showed_all_proxies_is_one():
    fleet = Fleet(engines=[MemoryEngine("a"), MemoryEngine("b")])
    both = fleet.shadowed("0001_reviews")
    assert (both.compared, both.noise) == (4, (Noise(endpoint="GET /", path="$.at", count=2),))


def test_keys_reach_every_proxy_and_their_usage_comes_from_each():
    engines = [MemoryEngine("a"), MemoryEngine("d", away=True), MemoryEngine("c")]
    reports: list[UsageReport] = []
    with pytest.raises(EngineError, match=r"^the proxy d does not answer$"):
        Fleet(engines=engines).bring_keys(lambda revision: KeyPage(after=0, revision=1))
    with pytest.raises(EngineError, match=r"^the proxy d does not answer$"):
        Fleet(engines=engines).collect_usage(reports.append)
    assert ([engine.keys for engine in engines], len(reports)) == ([1, 0, 1], 2)
