"""How much developers' keys were used, as all proxies have told."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from io import StringIO

from strangler_proxy.gateway.usage import UsageReport

from strangler.developers.register import Register
from strangler.plans.databases import MONOLITH, Databases
from strangler.split.store import Store

_LOCK = "usage of developers' keys"


@dataclass(frozen=True, kw_only=True)
class Used:
    """One key's requests of one day in UTC, at all proxies."""

    day: str
    key: str
    developer: str
    plan: str
    requests: int
    refused: int
    failed: int


def keep(store: Store, report: UsageReport) -> None:
    """Remember a report; one that was told before, or is older than what is known, changes nothing."""
    with store.alone(_LOCK):
        for row in report.rows:
            counts = row.requests, row.refused, row.failed
            known = store.query(
                "SELECT requests, refused, failed FROM strangler.api_usage "
                "WHERE process = %s AND key_id = %s AND day = %s",
                row.of,
            )
            if not known:
                store.execute(
                    "INSERT INTO strangler.api_usage (process, key_id, day, requests, refused, failed) "
                    "VALUES (%s, %s, %s, %s, %s, %s)",
                    (*row.of, *counts),
                )
            elif sum(known[0]) < sum(counts):
                store.execute(
                    "UPDATE strangler.api_usage SET requests = %s, refused = %s, failed = %s "
                    "WHERE process = %s AND key_id = %s AND day = %s",
                    (*counts, *row.of),
                )


def used(databases: Databases, *, since: str, until: str) -> list[Used]:
    """What was used from one day to another, both of them included. This is a read-only operation."""
    keys = {found.key.id: found.key for found in Register(databases=databases).all()}
    with databases.connect(MONOLITH) as store:
        if not store.has_tables("api_usage"):
            return []
        rows = store.query(
            "SELECT day, key_id, sum(requests), sum(refused), sum(failed) FROM strangler.api_usage "
            "WHERE day >= %s AND day <= %s GROUP BY day, key_id ORDER BY day, key_id",
            (since, until),
        )
    return [
        Used(
            day=day,
            key=name,
            developer=keys[name].developer if name in keys else "",
            plan=keys[name].plan if name in keys else "",
            requests=int(requests),
            refused=int(refused),
            failed=int(failed),
        )
        for day, name, requests, refused, failed in rows
    ]


def as_csv(rows: Iterable[Used]) -> str:
    """With a first line of names."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_NAMES)
    writer.writerows(asdict(row).values() for row in rows)
    return out.getvalue()


def as_json(rows: Iterable[Used]) -> str:
    """A list of objects."""
    return json.dumps([asdict(row) for row in rows], indent=2)


def as_text(rows: Sequence[Used]) -> Iterator[str]:
    """Lines for a person."""
    if not rows:
        yield "Nothing was used."
    for row in rows:
        yield (
            f"{row.day}  {row.key}  {row.developer}  {row.plan or 'no plan'}  {row.requests} requests, "
            f"{row.refused} refused, {row.failed} failed"
        )


_NAMES = [field.name for field in fields(Used)]
