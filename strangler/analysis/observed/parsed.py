"""The tables of statements as sqlglot parses them."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from strangler.analysis.observed.accesses import Access

_DIALECTS = {"postgresql": "postgres", "mysql": "mysql", "sqlite": "sqlite", "oracle": "oracle"}


def parsed(text: str, vendor: str) -> list[Access]:
    """What each statement of a shape does. Raises what the parser raises."""
    statements = sqlglot.parse(text.replace("?", "1"), dialect=_DIALECTS.get(vendor))
    return [_of(statement) for statement in statements if statement is not None]


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
