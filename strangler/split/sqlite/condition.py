"""A condition over a table's rows: read here, so that every column is qualified, and then tried by SQLite itself."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import groupby

from strangler.split.errors import Refused
from strangler.split.sqlite import catalog
from strangler.split.sqlite.wording import ROW, columns, conditions, meant, quoted, unquoted
from strangler.split.table import Key, Table

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)|(?P<literal>[xX]?'(?:[^']|'')*'|\d[\w.]*(?:[eE][+-]\d+)?)"""
    r"""|"(?P<double>(?:[^"]|"")*)"|`(?P<back>(?:[^`]|``)*)`|\[(?P<square>[^\]]*)\]|(?P<word>[^\W\d]\w*)|(?P<other>[<>=!]=|<>|\|\||<<|>>|->>?|.)""",
    re.DOTALL,
)
_SAME_FOR_ALL = {"abs", "coalesce", "ifnull", "iif", "instr", "length", "nullif", "substr", "typeof"}
"""Functions that no application gives another meaning, and that go by nothing but what they are given."""
_BEFORE_A_BRACKET = {"and", "between", "case", "cast", "else", "in", "is", "not", "or", "then", "when"}
_OF_THE_MOMENT = {"current_date", "current_time", "current_timestamp"}
_OF_THE_CONNECTION = {"like", "match", "regexp"}
"""Operators that a connection may give another meaning."""


def only(connection: sqlite3.Connection, table: Table, where: str) -> Table:
    """See Catalog.only."""
    given = f'the condition "{where}" on table "{table.name}"'
    if ROW in where:
        raise Refused(f'{given} names "{ROW}", which the toolkit needs for itself; write it without')
    made = catalog.scalar(connection, "SELECT sql FROM sqlite_master WHERE name = ?", (unquoted(table.relation),))
    if re.search(r"\bCOLLATE\b", str(made), re.IGNORECASE):
        raise Refused(
            f"{given} cannot be followed: a column of the table has a collation, of which the catalog does not say "
            "whether it is the same on both sides; move the whole table"
        )
    try:
        qualified = _qualified(table, where)
        _try(table, qualified)
    except (ValueError, sqlite3.Error, sqlite3.Warning) as error:
        raise Refused(
            f"{given} is refused: {error}; write one over the row's own columns, without their table's name, that "
            "always holds or never for the same row"
        ) from error
    return replace(table, where=f"({qualified})")


def straddling(
    connection: sqlite3.Connection, tables: Sequence[Table], keys: Mapping[str, Sequence[Key]] | None
) -> Iterator[str]:
    """See Store.straddling."""
    by_name = {unquoted(table.relation).lower(): table for table in tables}
    for mine in tables:
        found = connection.execute(f"PRAGMA foreign_key_list({mine.relation})").fetchall()
        for _, group in groupby(sorted(found), lambda row: row[0]):
            pairs = list(group)
            theirs = by_name.get(pairs[0][2].lower())
            if theirs is None or mine.where is theirs.where is None:
                continue
            # Without columns of its own a key leads to the primary one.
            joined = " AND ".join(
                f"c.{quoted(pair[3])} = p.{quoted(pair[4] or theirs.key[number].name)}"
                for number, pair in enumerate(pairs)
            )
            among = [("1", [])] if keys is None else [*_among("c", mine, keys), *_among("p", theirs, keys)]
            for one, said, other, ends in (
                ("c", "point at", "p", (mine, theirs)),
                ("p", "are pointed at by", "c", (theirs, mine)),
            ):
                tied = " UNION ".join(
                    f"SELECT {columns(mine.key, 'c.')}, {columns(theirs.key, 'p.')} FROM {mine.relation} c "
                    f"JOIN {theirs.relation} p ON {joined} WHERE {some} AND {meant(ends[0], one)} "
                    f"AND ({meant(ends[1], other)}) IS NOT TRUE"
                    for some, _ in among
                )
                params = [value for _, values in among for value in values]
                if among and (count := catalog.scalar(connection, f"SELECT count(*) FROM ({tied})", params)):
                    yield (
                        f'{count:,} rows of "{ends[0].name}" that move {said} rows of "{ends[1].name}" that do not '
                        f"(foreign key of {_columns_of(pairs)}); correct the rows, or the conditions"
                    )


def _among(row: str, table: Table, keys: Mapping[str, Sequence[Key]]) -> Iterator[tuple[str, list[object]]]:
    """Conditions for those of the table's keys, if there are any: the row has one of them."""
    if wanted := tuple(keys.get(table.name, ())):
        yield from conditions(replace(table, where=None), wanted, row)


def _columns_of(pairs: Sequence[tuple[object, ...]]) -> str:
    """The columns of a foreign key, as its sentence names them."""
    return ", ".join(f'"{pair[3]}"' for pair in pairs)


def _qualified(table: Table, where: str) -> str:
    """The condition on one line, with every column as that of ROW. Raises ValueError."""
    names = {column.name.lower(): column.name for column in table.columns}
    tokens = [found for found in _TOKEN.finditer(where) if found.lastgroup != "space"]
    written = []
    for number, found in enumerate(tokens):
        behind = tokens[number + 1][0] if number + 1 < len(tokens) else ""
        before = tokens[number - 1][0] if number else ""
        word = (found["word"] or "").lower()
        name = word or _unquoted_name(found)
        if word in _OF_THE_MOMENT | _OF_THE_CONNECTION and word not in names:
            raise ValueError(f'"{found[0]}" may mean something else at another time, or for another connection')
        if behind == "(" and word and word not in _SAME_FOR_ALL | _BEFORE_A_BRACKET:
            raise ValueError(
                f'function "{found[0]}" may mean something else at another time, or for another connection'
            )
        if "." in (before, behind) and name is not None:
            raise ValueError(f'"{found[0]}" is qualified')
        if name is not None and name.lower() in names and behind != "(":
            written.append(f"{ROW}.{quoted(names[name.lower()])}")
        elif not word and name is not None:
            raise ValueError(f'there is no column "{name}"')
        else:
            written.append(found[0])
    return " ".join(written)


def _unquoted_name(found: re.Match[str]) -> str | None:
    for kind, quote in (("double", '"'), ("back", "`"), ("square", "]")):
        if found[kind] is not None:
            return found[kind].replace(quote * 2, quote)
    return None


def _try(table: Table, qualified: str) -> None:
    """What a partial index may have as its condition is what we need: no query in it, this table's columns only."""
    with closing(sqlite3.connect(":memory:")) as connection:
        columns = ", ".join(f"{quoted(column.name)} {column.type}" for column in table.columns)
        # Row numbers are no columns.
        connection.execute(f"CREATE TABLE {ROW} ({columns}, PRIMARY KEY ({quoted(table.key[0].name)})) WITHOUT ROWID")
        unqualified = qualified.replace(f"{ROW}.", "")
        connection.execute(f"CREATE INDEX strangler_index ON {ROW} ({quoted(table.key[0].name)}) WHERE ({unqualified})")
