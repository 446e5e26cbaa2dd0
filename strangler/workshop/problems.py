"""The monolith's seven problems (docs/orchard.md), measured at one that runs: python -m strangler.workshop problems."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import psycopg

from strangler.analysis.coupling import WRITES, Coupling, Kind
from strangler.analysis.kept import Kept, usual_place
from strangler.analysis.mapping import make_map
from strangler.analysis.reach.asking import ask
from strangler.workshop.instance import ROOT
from strangler.workshop.pressing import BUYERS, cpu_of, slowest_while_people_pay, waits
from strangler.workshop.system import System

_SHOP = "monolith"
_ROUTES = ("/", "/products/", "/search/?q=oak", "/login/", "/api/products/", "/api/reviews/")
_LONG = 0.5
"""Seconds that count as waiting."""
_CHANGED = "reviews/signals.py"
_SLOW = 6.0
"""Seconds that the payment provider takes, in a bad moment."""
_WIDTH = 480
_IMAGES = 20
_FOREIGN = (*WRITES, Kind.SQL, Kind.ADMIN)
_EXPLAIN = """
import json
from monolith.search.selectors import products_matching
print(json.dumps(json.loads(products_matching("lamp").explain(analyze=True, format="json"))[0]["Plan"]))
"""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One problem, in one figure and what it is a figure of."""

    name: str
    value: float
    of: str

    def __str__(self) -> str:
        return f"{self.name:<12} {self.value:>7,}  {self.of}"


def measure(system: System) -> Iterator[Measured]:
    """All seven, one after the other, at a shop that runs. Restarts it once; leaves its customers some orders more."""
    couplings = [one for one in make_map(ROOT / _SHOP, Kept(usual_place())).couplings if not one.test]
    yield _complexity(couplings)
    yield _deployment(system)
    yield _fear()
    yield _ownership(couplings)
    yield _failure(system)
    yield _sizes(system)
    yield _scale(system)


def write(path: Path, measured: list[Measured]) -> None:
    """Keep them, by name."""
    path.write_text(json.dumps({one.name: asdict(one) for one in measured}, indent=1) + "\n", encoding="utf-8")


def rows_read(node: dict[str, object]) -> int:
    """How many products a statement reads, found or not, by its plan as EXPLAIN ANALYZE has it."""
    read = 0
    if node.get("Node Type") == "Seq Scan" and node.get("Relation Name") == "catalog_product":
        read = _whole(node["Actual Rows"]) + _whole(node.get("Rows Removed by Filter", 0))
    plans = node.get("Plans", [])
    assert isinstance(plans, list)
    return read + sum(map(rows_read, plans))


def _complexity(couplings: list[Coupling]) -> Measured:
    imports = {(one.source_app, one.target_app) for one in couplings if one.kind is Kind.IMPORT}
    circles = sum(pair < pair[::-1] and pair[::-1] in imports for pair in imports)
    of = f"pairs of apps that import each other, among {len(couplings)} couplings between apps"
    return Measured(name="complexity", value=circles, of=of)


def _deployment(system: System) -> Measured:
    """How many of the routes wait while one line of one app is deployed: a restart, as a new version needs it."""
    longest = waits(system.instance.url("orchard"), _ROUTES, lambda: system.restart("orchard"))
    waiting = [seconds for seconds in longest if seconds > _LONG]
    of = f"of {len(_ROUTES)} routes wait for a new version of any app, for up to {max(longest):.1f} s"
    return Measured(name="deployment", value=len(waiting), of=of)


def _fear() -> Measured:
    entries = ask(ROOT / _SHOP, [_CHANGED], Kept(usual_place())).blast.entries
    lines = len((ROOT / _SHOP / _CHANGED).read_text(encoding="utf-8").splitlines())
    of = f"routes, tasks, receivers, commands and pages can notice a change of {_CHANGED}, a file of {lines} lines"
    return Measured(name="fear", value=sum(one.kind != "test" for one in entries), of=of)


def _ownership(couplings: list[Coupling]) -> Measured:
    tables = {one.target for one in couplings if one.kind in _FOREIGN and one.target.count(".") == 1}
    of = f"tables are written, or read by statements, by other apps than their own: {', '.join(sorted(tables))}"
    return Measured(name="ownership", value=len(tables), of=of)


def _failure(system: System) -> Measured:
    """How long a page that has nothing to do with payments takes while the payment provider is slow."""
    pressed = slowest_while_people_pay(system.instance, "/products/", _SLOW)
    usual, slowest = asyncio.run(pressed)
    of = f"s until /products/ answers while {BUYERS} people pay and the provider takes {_SLOW:g} s; else {usual:.2f} s"
    return Measured(name="failure", value=round(slowest, 1), of=of)


def _sizes(system: System) -> Measured:
    """What a search reads, of what it finds."""
    plan = json.loads(system.manage("shell", "-v", "0", "-c", _EXPLAIN).stdout.strip().splitlines()[-1])
    with psycopg.connect(system.instance.app_dsn("orchard")) as connection:
        query = "SELECT pg_total_relation_size('media_blob')::float / pg_database_size(current_database())"
        row = connection.execute(query).fetchone()
    pictures = f"{row[0] if row else 0:.0%}"
    of = (
        f"rows are read by a search that finds {_whole(plan['Actual Rows']):,}; pictures are {pictures} of the database"
    )
    return Measured(name="one size", value=rows_read(plan), of=of)


def _scale(system: System) -> Measured:
    """What a thumbnail costs the processes that answer everything else, beside a page of the shop."""
    with psycopg.connect(system.instance.app_dsn("orchard")) as connection:
        connection.execute("DELETE FROM media_thumbnail")  # they are made when somebody asks
        query = "SELECT id FROM media_blob ORDER BY id LIMIT %s"
        images = [row[0] for row in connection.execute(query, (_IMAGES,))]
    url, pid = system.instance.url("orchard"), system.supervisor.pid("orchard")
    assert pid is not None  # it was restarted just now
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        pictures = cpu_of(pid, lambda: [client.get(f"/media/{image}/{_WIDTH}/") for image in images]) / len(images)
        pages = cpu_of(pid, lambda: [client.get("/products/") for _ in images]) / len(images)
    of = f"ms of CPU make a thumbnail, in the processes that make pages at {1000 * pages:.0f} ms each"
    return Measured(name="scale", value=round(1000 * pictures), of=of)


def _whole(rows: object) -> int:
    """A number of rows, which newer servers give as "42.00"."""
    return int(float(str(rows)))
