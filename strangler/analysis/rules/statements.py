"""SQL in the code that names another app's tables. Where it cannot be parsed, names behind FROM and the like count."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Iterator

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.facts import Chain
from strangler.analysis.project import Place, Project
from strangler.analysis.symbols import File

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # what it cannot parse is looked at in another way

_BEHIND = re.compile(r"\b(?:from|join|into|update|table|truncate|using)\s+(?:only\s+)?[\"'`\[]?(\w+)", re.IGNORECASE)
_HOLES = re.compile(r"%\(\w+\)s|%s|\{\}|%%")
_NAMED = re.compile(r"\{(\w+)\}")
"""What format() puts in; its name is the table's, mostly."""


def find(project: Project, file: File) -> Iterator[Coupling]:
    """One for each statement and table of another app, and for each place that takes a table's name from its model."""
    if file.module.is_migration:
        return
    for chain in file.facts.chains:
        yield from _by_model(project, file, chain)
    for line, scope, text in file.facts.sql:
        for table in sorted(tables(text)):
            if (label := project.tables.get(table)) is not None:
                app = project.app_of_model(label)
                yield from project.coupling(Kind.SQL, Place(file, line, scope), app, label, table)


def _by_model(project: Project, file: File, chain: Chain) -> Iterator[Coupling]:
    """Product._meta.db_table, and extra(tables=["catalog_product"])."""
    at, last = Place(file, chain.line, chain.scope), chain.steps[-1]
    if [step.name for step in chain.steps[-2:]] == ["_meta", "db_table"]:
        model = project.following.type_of(file, chain.scope, chain.steps[:-2]) if len(chain.steps) > 2 else None
        if model is not None and model.label:
            yield from project.coupling(Kind.SQL, at, project.app_of_model(model.label), model.label, "_meta.db_table")
    given = last.keywords.get("tables") if last.called and last.name == "extra" else None
    for table in given if isinstance(given, tuple) else ():
        if (label := project.tables.get(str(table))) is not None:
            yield from project.coupling(Kind.SQL, at, project.app_of_model(label), label, str(table))


@functools.lru_cache(maxsize=4096)
def tables(text: str) -> frozenset[str]:
    """The tables that a statement names, in small letters."""
    text = _NAMED.sub(r"\1", _HOLES.sub("1", text))
    import sqlglot  # noqa: PLC0415 - takes longer than a map that is kept

    try:
        parsed = sqlglot.parse(text)
        found = {
            table.name.lower() for statement in parsed if statement for table in statement.find_all(sqlglot.exp.Table)
        }
    except (sqlglot.errors.SqlglotError, RecursionError):
        found = set()
    return frozenset(found or {name.lower() for name in _BEHIND.findall(text)})
