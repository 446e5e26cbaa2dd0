"""Which tables a shape reads, writes and locks. Where it cannot be parsed, names behind FROM and the like count."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from strangler.analysis.rules.statements import tables

_DIALECTS = {"postgresql": "postgres", "mysql": "mysql", "sqlite": "sqlite", "oracle": "oracle"}
_WRITES = re.compile(
    r"\b(?:insert\s+into|^\s*update|delete\s+from|merge\s+into|replace\s+into|truncate(?:\s+table)?)"
    r"\s+(?:only\s+)?[\"`\[]?(\w+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Access:
    """Tables, in small letters."""

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    locks: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        return self.reads | self.writes | self.locks


@functools.lru_cache(maxsize=50_000)
def access(text: str, vendor: str) -> Access:
    """What a shape does, in the language of its database by Django's name."""
    if " " not in text:
        return Access()  # a verb alone
    try:
        parsed = sqlglot.parse(text.replace("?", "1"), dialect=_DIALECTS.get(vendor))
    except Exception:  # a parser at a text that anybody may have written, or that was cut
        written = frozenset(name.lower() for name in _WRITES.findall(text))
        return Access(reads=tables(text) - written, writes=written)
    found = [_of(statement) for statement in parsed if statement is not None]
    return Access(
        reads=frozenset().union(*(one.reads for one in found)),
        writes=frozenset().union(*(one.writes for one in found)),
        locks=frozenset().union(*(one.locks for one in found)),
    )


def _of(statement: exp.Expr) -> Access:
    common = {cte.alias_or_name.lower() for cte in statement.find_all(exp.CTE)}
    targets = [
        table
        for part in statement.find_all(exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.TruncateTable)
        for table in _targets(part)
    ]
    writes = frozenset(table.name.lower() for table in targets)
    at = {id(table) for table in targets}
    reads = {table.name.lower() for table in statement.find_all(exp.Table) if id(table) not in at} - common
    locks = {name for part in statement.find_all(exp.Select) for name in _locked(part)} - common
    return Access(reads=frozenset(reads) - {""}, writes=writes - {""}, locks=frozenset(locks) - {""})


def _locked(part: exp.Select) -> set[str]:
    """The tables that FOR UPDATE and the like name, else all of the query."""
    locks = part.args.get("locks") or ()
    named = {table.alias_or_name for lock in locks for table in lock.expressions}
    tables = list(part.find_all(exp.Table)) if locks else []
    return {table.name.lower() for table in tables if not named or table.alias_or_name in named}


def _targets(part: exp.Expr) -> list[exp.Table]:
    if isinstance(part, exp.TruncateTable):
        return [table for table in part.expressions if isinstance(table, exp.Table)]
    target = part.this.this if isinstance(part.this, exp.Schema) else part.this
    return [target] if isinstance(target, exp.Table) else []
