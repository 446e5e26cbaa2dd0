"""How the common SQL, tables and keys are written in SQLite's SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from strangler.split.table import Column, Family, Key, KeyRange, Selection, Table

_LOCKS = re.compile(r"\s+FOR (UPDATE|SHARE)( SKIP LOCKED)?\b")
_KEYS_AT_ONCE = 500
ROW = "strangler_row"
"""The row in Table.where, in which every column is qualified."""


def translated(statement: str) -> str:
    """A statement of the common SQL in SQLite's. Rows need no locks: whoever may write is alone."""
    return _LOCKS.sub("", statement.replace("strangler.", "strangler_").replace("%s", "?"))


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def unquoted(relation: str) -> str:
    """The name of the table that describe() gave the relation of."""
    return relation[1:-1].replace('""', '"')


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def columns(of: Sequence[Column], alias: str = "") -> str:
    return ", ".join(alias + quoted(column.name) for column in of)


def key_text(alias: str, table: Table) -> str:
    """The key of the row "alias" as table.key_from_text reads it. Never fails, whatever the row holds."""
    return f"json_array({', '.join(_part(f'{alias}.{quoted(column.name)}', column) for column in table.key)})"


def meant(table: Table, row: str) -> str:
    """A condition: the row "row" is one that is meant. True where all are; it may be NULL for one that is not."""
    return "1" if table.where is None else table.where.replace(f"{ROW}.", f"{row}.")


def conditions(table: Table, selection: Selection, row: str = "") -> Iterator[tuple[str, list[object]]]:
    """Conditions with their parameters that together give the selection's rows, each row once.

    A row that has a name in the statement is called "row".
    """
    row = row or table.relation
    if isinstance(selection, KeyRange):
        yield _within(table, selection, row)
        return
    wanted = iter(dict.fromkeys(selection))
    while keys := list(islice(wanted, _KEYS_AT_ONCE)):
        places = f"({', '.join('?' * len(table.key))})"
        yield (
            f"({columns(table.key, f'{row}.')}) IN (VALUES {', '.join([places] * len(keys))}) AND {meant(table, row)}",
            [value for key in keys for value in _parameters(table, key)],
        )


def _within(table: Table, keys: KeyRange, row: str) -> tuple[str, list[object]]:
    parts, values = [], []
    for operator, bound in ((">", keys.after), ("<=", keys.upto)):
        if bound is not None:
            parts.append(f"({columns(table.key, f'{row}.')}) {operator} ({', '.join('?' * len(table.key))})")
            values += _parameters(table, bound)
    return " AND ".join([*parts, meant(table, row)]), values


def _parameters(table: Table, key: Key) -> list[object]:
    return [_parameter(column, part) for column, part in zip(table.key, key, strict=True)]


def _parameter(column: Column, part: str) -> object:
    if column.family is Family.BYTES:
        return bytes.fromhex(part)
    if column.family in (Family.INTEGER, Family.BOOLEAN):
        try:
            return int(part)
        except ValueError:
            return part  # SQLite keeps what is no number as it is
    return part


def _part(value: str, column: Column) -> str:
    if column.family is Family.BYTES:
        return f"lower(hex({value}))"
    # json_array() would fail on bytes, and with it the application's write.
    return f"CASE typeof({value}) WHEN 'blob' THEN hex({value}) ELSE {value} END"
