"""SQL in the code that names another app's tables. Where it cannot be parsed, names behind FROM and the like count."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Iterator

import sqlglot

from strangler.analysis.coupling import Coupling, Kind
from strangler.analysis.project import Place, Project
from strangler.analysis.symbols import File

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # what it cannot parse is looked at in another way

_BEHIND = re.compile(r"\b(?:from|join|into|update|table|truncate|using)\s+(?:only\s+)?[\"'`\[]?(\w+)", re.IGNORECASE)
_HOLES = re.compile(r"%\(\w+\)s|%s|\{\w*\}|%%")


def find(project: Project, file: File) -> Iterator[Coupling]:
    """One for each statement and table of another app."""
    for line, scope, text in file.facts.sql:
        for table in sorted(tables(text)):
            if (label := project.tables.get(table)) is not None:
                app = project.app_of_model(label)
                yield from project.coupling(Kind.SQL, Place(file, line, scope), app, label, table)


@functools.lru_cache(maxsize=4096)
def tables(text: str) -> frozenset[str]:
    """The tables that a statement names, in small letters."""
    try:
        parsed = sqlglot.parse(_HOLES.sub("1", text))
        found = {
            table.name.lower() for statement in parsed if statement for table in statement.find_all(sqlglot.exp.Table)
        }
    except (sqlglot.errors.SqlglotError, RecursionError):
        found = set()
    return frozenset(found or {name.lower() for name in _BEHIND.findall(text)})
