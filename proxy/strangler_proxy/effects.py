"""What a write changed at its owner, beside what its rehearsal would have changed at the candidate. Pure.

Each side tells its rows in a header that no client sees. They are compared only where both sides had the same rows to
begin with, and the owner's write had not arrived before the rehearsal was over. Standard library only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from strangler_proxy.comparing import Difference, difference

ASKED = b"Strangler-Effects"
"""Asks the owner to tell what a write changes, and is the header of either answer that tells it."""
REHEARSAL = b"Strangler-Rehearsal"
"""Asks the candidate to rehearse a write to the move that it names."""
SHOWN = b"Strangler-Rehearsal-Token"
_WITHIN = 60.0
"""Seconds within which two moments are of the same request."""
_TOKENS = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A changed row as it is afterwards, None where it is gone. "generated" are columns that a sequence fills."""

    table: str
    key: tuple[Any, ...] | None
    row: Mapping[str, Any] | None
    generated: frozenset[str]

    @property
    def own(self) -> Mapping[str, Any]:
        """What the request itself has put into it."""
        return {name: value for name, value in (self.row or {}).items() if name not in self.generated}


@dataclass(frozen=True, kw_only=True)
class Effects:
    """What one side told. "before" and "after" are the owner's batch that it had, at the write's start and its end."""

    rows: tuple[Row, ...] = ()
    before: int | None = None
    after: int | None = None
    waits: bool = False
    """The owner had changes that were on their way to the candidate."""
    unsaid: bool = False
    """It cannot tell all."""
    blocked: tuple[str, ...] = ()
    """What the rehearsal would have let out of the process, or committed by itself."""

    @classmethod
    def from_header(cls, text: str) -> Effects:
        """Raises ValueError on what is none."""
        try:
            given = json.loads(text)
            rows = tuple(
                Row(
                    table=one["table"],
                    key=None if one["key"] is None else tuple(one["key"]),
                    row=one["row"],
                    generated=frozenset(one["generated"]),
                )
                for one in given["rows"]
            )
            return cls(**{**given, "rows": rows, "blocked": tuple(given.get("blocked", ()))})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"the effects have a part that is missing or of the wrong kind ({error})") from error


def token_for(secret: str, upstream: str) -> str:
    """What the proxy shows to an upstream when it asks for a write's effects; it is of no use elsewhere."""
    return hmac.new(secret.encode(), f"rehearsal {upstream}".encode(), hashlib.sha256).hexdigest()


def unclear(owner: Effects, candidate: Effects) -> str:
    """Why nothing can be said of the candidate, or nothing."""
    if owner.unsaid or candidate.unsaid:
        return "not all of it was told"
    if candidate.blocked:
        return f"it would have done what a rehearsal does not: {', '.join(candidate.blocked)}"
    if owner.waits or owner.before != candidate.before:
        return "the candidate lacked changes of the owner's"
    if candidate.after != candidate.before:
        return "changes of the owner's arrived meanwhile"
    return ""


def pairs(owner: Sequence[Row], candidate: Sequence[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    """The rows of both sides that are the same one: by their key, else the tables' new ones in their order."""
    theirs = {(row.table, row.key): row for row in candidate}
    alone: dict[str, list[Row]] = {}
    for row in owner:
        same = theirs.pop((row.table, row.key), None)
        if same is not None:
            yield row, same
        else:
            alone.setdefault(row.table, []).append(row)
    for row in theirs.values():
        others = alone.get(row.table, [])
        match = next((one for one in others if one.row is not None and row.row is not None and one.generated), None)
        if match is not None:
            others.remove(match)
        yield match, row
    for rows in alone.values():
        for row in rows:
            yield row, None


def compare(owner: Effects, candidate: Effects) -> tuple[list[Difference], Mapping[str, str]]:
    """(what is different in the rows, the candidate's generated values beside the owner's)."""
    found: list[Difference] = []
    same: dict[str, str] = {}
    matched = list(pairs(owner.rows, candidate.rows))
    for ours, theirs in matched:
        if ours is not None and theirs is not None and ours.row is not None and theirs.row is not None:
            for name in ours.generated & theirs.generated & ours.row.keys() & theirs.row.keys():
                same[str(theirs.row[name])] = str(ours.row[name])
    for ours, theirs in matched:
        found += _of_rows(ours, theirs, same)
    return found, same


def told_apart(found: Sequence[Difference], same: Mapping[str, str]) -> list[Difference]:
    """The differences that are more than other generated values, or the moment of the one run and of the other."""
    return [one for one in found if one.kind != "value" or not alike(one.first, one.second, same)]


def alike(first: str, second: str, same: Mapping[str, str]) -> bool:
    """Whether two values differ by nothing but generated values that stand for each other, or by their moment."""
    if first == second:
        return False  # they differ in what is not shown of them
    if _TOKENS.sub(lambda token: same.get(token[0], token[0]), second) == first:
        return True
    ours, theirs = _moment(first), _moment(second)
    return ours is not None and theirs is not None and abs(ours - theirs) <= _WITHIN


def _of_rows(ours: Row | None, theirs: Row | None, same: Mapping[str, str]) -> Iterator[Difference]:
    table = (ours or theirs).table  # type: ignore[union-attr]  # one of the two is there
    if ours is None or theirs is None or (ours.row is None) != (theirs.row is None):
        first, second = (_word(row) for row in (ours, theirs))
        yield Difference(path=f"rows {table}", kind="value", first=first, second=second)
        return
    first_row, second_row = ours.own, theirs.own
    for name in sorted(first_row.keys() | second_row.keys()):
        one, other = first_row.get(name), second_row.get(name)
        if one != other and (str(one) == str(other) or not alike(str(one), str(other), same)):
            yield difference(f"rows {table}.{name}", "value", one, other)


def _word(row: Row | None) -> str:
    return "no change" if row is None else "deleted" if row.row is None else "written"


def _moment(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.timestamp() if len(text) > len("2026-01-01") else None
