"""Holds the journal against the databases: was anything lost, doubled, or brought back?

It reads the journal and the databases, and nothing of the toolkit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from strangler.workshop.journal import Entry, Outcome

_State = Mapping[str, Any] | None  # what a row's values are; None: there is no row
_REVIEWS: LiteralString = (
    "SELECT reference::text AS key, product_id AS product, rating, title, body FROM reviews_review "
    "WHERE author_id = ANY(%s)"
)
_VOTES: LiteralString = (
    "SELECT reference::text AS key, review_id AS review, helpful FROM reviews_vote WHERE voter_id = ANY(%s)"
)
_ORDERS: LiteralString = "SELECT number::text AS key FROM orders_order WHERE customer_id = ANY(%s)"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One row that is not what was acknowledged."""

    kind: str
    key: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind} {self.key}: {self.what}"


@dataclass(kw_only=True)
class Findings:
    """What the journal and the databases say of each other."""

    acknowledged: int = 0
    lost: list[Finding] = field(default_factory=list)  # acknowledged, and not there, or not with these values
    duplicated: list[Finding] = field(default_factory=list)  # there more than once
    resurrected: list[Finding] = field(default_factory=list)  # acknowledged as deleted, and there
    unexplained: list[Finding] = field(default_factory=list)  # there, and nobody wrote it

    @property
    def all(self) -> list[Finding]:
        return [*self.lost, *self.duplicated, *self.resurrected, *self.unexplained]

    def __str__(self) -> str:
        return (
            f"{self.acknowledged} acknowledged, {len(self.lost)} lost, {len(self.duplicated)} duplicated, "
            f"{len(self.resurrected)} resurrected, {len(self.unexplained)} unexplained"
        )


def check(entries: Iterable[Entry], orchard: str, reviews: str, people: str = "shopper-%") -> Findings:
    """Compare the shoppers' journal with the rows in the databases that own them.

    "orchard" is the DSN of the shop's database, "reviews" of the one that owns the reviews now; "people" is a LIKE
    pattern of the shoppers' names: rows of theirs that the journal does not explain are findings too.
    """
    findings = Findings()
    histories: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    deleted: set[int] = set()  # the numbers of reviews that a shopper deleted, or may have
    for entry in entries:
        if entry.kind and entry.outcome is not Outcome.REFUSED:
            histories[entry.kind, entry.key].append(entry)
            findings.acknowledged += entry.outcome is Outcome.ACKNOWLEDGED
            deleted.update([entry.values["id"]] if entry.kind == "review" and entry.deleted else [])
    rows = _read(orchard, reviews, people)
    for (kind, key), history in histories.items():
        _compare(findings, kind, key, rows.pop((kind, key), []), _possible(history), deleted)
    findings.unexplained += [Finding(kind=kind, key=key, what="nobody wrote it") for kind, key in rows]
    return findings


def _compare(  # noqa: PLR0917
    findings: Findings, kind: str, key: str, found: list[Mapping[str, Any]], possible: list[_State], deleted: set[int]
) -> None:
    if len(found) > 1:
        findings.duplicated.append(Finding(kind=kind, key=key, what=f"stands there {len(found)} times"))
    elif found and possible == [None]:
        findings.resurrected.append(Finding(kind=kind, key=key, what="was deleted, and is there"))
    elif found and not any(state is not None and _fits(found[0], state) for state in possible):
        findings.lost.append(Finding(kind=kind, key=key, what=f"is {dict(found[0])}, acknowledged was {possible[0]}"))
    elif not found and None not in possible:
        # A vote goes with its review. Only a deletion explains that: most votes are for reviews that the shop was
        # seeded with, whose loss nothing else in the journal would show.
        if kind == "vote" and possible[0] is not None and possible[0]["review"] in deleted:
            return
        findings.lost.append(Finding(kind=kind, key=key, what="is not there"))


def _possible(history: list[Entry]) -> list[_State]:
    """The states that the row may have: the last acknowledged one, or that of a later write without an answer."""
    states: list[_State] = [None]
    for entry in history:
        state = None if entry.deleted else entry.values
        states = [state] if entry.outcome is Outcome.ACKNOWLEDGED else [*states, state]
    return states


def _fits(row: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    return all(row[name] == value for name, value in state.items())


def _read(orchard: str, reviews: str, people: str) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """The shoppers' rows by kind and key."""
    rows: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    with (
        psycopg.connect(orchard, row_factory=dict_row) as shop,
        psycopg.connect(reviews, row_factory=dict_row) as owner,
    ):
        shoppers = shop.execute("SELECT id FROM accounts_user WHERE username LIKE %s", (people,))
        keys = [row["id"] for row in shoppers]
        for kind, connection, query in (("review", owner, _REVIEWS), ("vote", owner, _VOTES), ("order", shop, _ORDERS)):
            for row in connection.execute(query, (keys,)):
                rows[kind, row["key"]].append(row)
        return rows
