"""The unique indexes of a table, in words that a trigger can ask: which rows would a new one replace?

INSERT OR REPLACE and UPDATE OR REPLACE delete rows that have one of the new row's unique values. SQLite fires no
delete trigger for them unless the connection has set recursive_triggers, and that is the application's choice.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass

from strangler.split.errors import SplitError
from strangler.split.sqlite.wording import quoted

_ORDER = re.compile(r"\s+(ASC|DESC)\s*$", re.IGNORECASE)
_COLLATE = re.compile(r"\s+COLLATE\s+(\"[^\"]+\"|\w+)\s*$", re.IGNORECASE)
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/|.", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class UniqueIndex:
    """Terms that together are unique, each with its collation, and the condition of a partial index."""

    terms: tuple[tuple[str, str], ...]
    where: str
    primary: bool
    columns: tuple[str | None, ...]  # None: an expression

    @property
    def folds(self) -> bool:
        """Whether it takes some different texts for the same."""
        return any(collation != "BINARY" for _, collation in self.terms)

    def replaced(self, incoming: dict[str, str]) -> str:
        """A condition: this row of the table would be replaced. "incoming" has the new row's values by column."""
        row = ", ".join(f"{value} AS {quoted(name)}" for name, value in incoming.items())
        same = [
            # The index's own words, on either row: the planner must see that it can answer from the index.
            f"({term}) = (SELECT {term} FROM (SELECT {row})) COLLATE {quoted(collation)}"
            for term, collation in self.terms
        ]
        return " AND ".join([*same, f"({self.where})"] if self.where else same)


def unique_indexes(connection: sqlite3.Connection, name: str) -> list[UniqueIndex]:
    """All but that of a plain integer key, which is the row's number. This is a read-only operation.

    Raises SplitError where an index is written so that it cannot be read.
    """
    return [
        _index(connection, name, index, origin)
        for _, index, unique, origin, _ in connection.execute(f"PRAGMA index_list({quoted(name)})").fetchall()
        if unique
    ]


def giving_way(connection: sqlite3.Connection, name: str) -> list[str]:
    """Conditions for the rows that would give way to NEW, one for each unique index. This is a read-only operation."""
    names = [row[1] for row in connection.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()]
    incoming = {column: f"NEW.{quoted(column)}" for column in names}
    return [
        index.replaced(incoming)
        for index in unique_indexes(connection, name)
        # The row that has the same key is seen with the new one.
        if index.folds or not index.primary
    ]


def _index(connection: sqlite3.Connection, name: str, index: str, origin: str) -> UniqueIndex:
    parts = [
        (column, collation)
        for _, _, column, _, collation, in_key in connection.execute(f"PRAGMA index_xinfo({quoted(index)})").fetchall()
        if in_key
    ]
    row = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = ?", (index,)).fetchone()
    written, where = ([], "") if row is None or row[0] is None else _read(row[0])
    if any(column is None for column, _ in parts) and len(written) != len(parts):
        raise SplitError(
            f'the unique index "{index}" of "{name}" cannot be read, so it is not known which rows a REPLACE deletes; '
            "create it again in plain words, one expression for each term"
        )
    terms = tuple(
        (written[number] if column is None else quoted(column), collation)
        for number, (column, collation) in enumerate(parts)
    )
    return UniqueIndex(terms=terms, where=where, primary=origin == "pk", columns=tuple(column for column, _ in parts))


def _read(statement: str) -> tuple[list[str], str]:
    """The terms and the condition of CREATE INDEX ... (terms) WHERE condition."""
    terms: list[str] = []
    text = ""
    depth = 0
    tokens = iter(_TOKEN.findall(statement))
    for part in tokens:
        depth += (part == "(") - (part == ")")
        if part == "(" and depth == 1:
            text = ""
        elif (part == ")" and depth == 0) or (part == "," and depth == 1):
            terms.append(_COLLATE.sub("", _ORDER.sub("", text)).strip())
            text = ""
            if part == ")":
                break
        elif not part.startswith(("--", "/*")):
            text += part
    rest = "".join(part for part in tokens if not part.startswith(("--", "/*")))
    condition = re.sub(r"^\s*WHERE\s", "", rest, flags=re.IGNORECASE).strip()
    return terms, condition
