"""Rows of SQLite: out and in as Python has them, compared by digests made here."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import islice
from math import isfinite
from typing import Any
from uuid import UUID

from strangler.split.errors import SplitError
from strangler.split.sqlite.catalog import scalar
from strangler.split.sqlite.wording import columns, conditions, key_text
from strangler.split.table import Column, Family, Key, KeyRange, Selection, Table, Value, canonical_json, key_from_text

_PIECE = 1_000
"""Rows that are passed on together."""
_KEY_TYPES: dict[Family, type] = {Family.INTEGER: int, Family.BOOLEAN: int, Family.BYTES: bytes}
_DIGITS = 15
"""Decimal digits that SQLite's floating numbers keep: Django reads so many, too."""


def dump(connection: sqlite3.Connection, table: Table, selection: Selection) -> Iterator[list[tuple[Any, ...]]]:
    """See Store.dump."""
    found = _rows(connection, table, selection, columns(table.columns))
    while piece := list(islice(found, _PIECE)):
        yield piece


def load(connection: sqlite3.Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> int:
    """Write rows as SQLite stores them; their number."""
    places = ", ".join("?" * len(table.columns))
    return connection.executemany(
        f"INSERT INTO {table.relation} ({columns(table.columns)}) VALUES ({places})",
        rows,
    ).rowcount


def values(connection: sqlite3.Connection, table: Table, selection: Selection) -> Iterator[tuple[Value, ...]]:
    """See Store.values."""
    readers = [_reader(column, strict=column in table.key) for column in table.columns]
    for row in _rows(connection, table, selection, columns(table.columns)):
        yield tuple(None if value is None else read(value) for read, value in zip(readers, row, strict=True))


def insert(connection: sqlite3.Connection, table: Table, given: Iterable[tuple[Value, ...]]) -> int:
    """See Store.insert."""
    writers = [_WRITTEN.get(column.family, _as_it_is) for column in table.columns]
    return load(
        connection,
        table,
        (
            tuple(None if value is None else write(value) for write, value in zip(writers, row, strict=True))
            for row in given
        ),
    )


def delete(connection: sqlite3.Connection, table: Table, selection: Selection) -> None:
    """See Store.delete."""
    for condition, params in conditions(table, selection):
        connection.execute(f"DELETE FROM {table.relation} WHERE {condition}", params)


def range_end(connection: sqlite3.Connection, table: Table, keys: KeyRange, size: int) -> Key | None:
    """See Store.range_end. Whole numbers are stepped over by arithmetic; other keys, and some rows, are counted."""
    ((condition, params),) = conditions(table, keys)
    key = columns(table.key)
    behind = f"FROM {table.relation} WHERE {condition} ORDER BY {key}"
    if [column.family for column in table.key] == [Family.INTEGER] and table.where is None:
        first = scalar(connection, f"SELECT {key} {behind} LIMIT 1", params)
        last = scalar(connection, f"SELECT {key} {behind} DESC LIMIT 1", params)
        return None if first is None or first + size > last else (str(first + size - 1),)
    found = connection.execute(
        f"SELECT {key_text(table.relation, table)} {behind} LIMIT 2 OFFSET ?", [*params, size - 1]
    ).fetchall()
    return key_from_text(found[0][0]) if len(found) == 2 else None


def checksum(connection: sqlite3.Connection, table: Table, selection: Selection) -> tuple[int, int]:
    """See Store.checksum."""
    count = total = 0
    for row in _rows(connection, table, selection, columns(table.columns)):
        count += 1
        total ^= _digest(row)
    return count, total


def digests(connection: sqlite3.Connection, table: Table, selection: Selection) -> Iterator[tuple[Key, int]]:
    """See Store.digests."""
    places = [(table.columns.index(column), column, _KEY_TYPES.get(column.family, str)) for column in table.key]
    for key, row in _keyed(connection, table, selection):
        for place, column, wanted in places:
            if not isinstance(row[place], wanted):
                # Looked up by its text, such a row would seem to be missing on both sides.
                raise SplitError(
                    f'the key column "{column.name}" of {table} holds {row[place]!r}, by which no row can be followed; '
                    f"it should be {wanted.__name__}"
                )
        yield key, _digest(row)


def texts(connection: sqlite3.Connection, table: Table, keys: tuple[Key, ...]) -> dict[Key, tuple[str | None, ...]]:
    """See Store.texts."""
    return {
        key: tuple(None if value is None else repr(value) for value in row)
        for key, row in _keyed(connection, table, keys)
    }


def _rows(connection: sqlite3.Connection, table: Table, selection: Selection, what: str) -> Iterator[tuple[Any, ...]]:
    for condition, params in conditions(table, selection):
        yield from connection.execute(f"SELECT {what} FROM {table.relation} WHERE {condition}", params)


def _keyed(connection: sqlite3.Connection, table: Table, selection: Selection) -> Iterator[tuple[Key, tuple[Any, ...]]]:
    what = f"{key_text(table.relation, table)}, {columns(table.columns)}"
    for row in _rows(connection, table, selection, what):
        yield key_from_text(row[0]), row[1:]


def _digest(row: tuple[Any, ...]) -> int:
    # The text tells types apart, and floats by every digit.
    return int.from_bytes(hashlib.blake2b(repr(row).encode(), digest_size=8).digest(), "big", signed=True)


def _reader(column: Column, *, strict: bool) -> Callable[[Any], Value]:
    """Reads a value by its family; one that is none of it is given as it is, for the comparison of types to see.

    Keys must be written as we would write them: rows are looked up by their text.
    """
    wanted = _READ.get(column.family, _as_it_is)
    write = _WRITTEN.get(column.family, _as_it_is)

    def read(stored: Any) -> Value:
        try:
            value = wanted(stored)
        except (ValueError, TypeError, ArithmeticError, AttributeError):
            return _unread(column, stored)
        return _unread(column, stored) if strict and write(value) != stored else value

    return read


def _unread(column: Column, stored: Any) -> Value:
    # What should be JSON and is not would otherwise be taken for it.
    is_text = column.family is Family.JSON and isinstance(stored, str)
    return stored.encode() if is_text else stored  # type: ignore[no-any-return]


def _as_it_is(value: Any) -> Any:
    return value


def _boolean(stored: Any) -> bool:
    if stored not in (0, 1) or not isinstance(stored, int):
        raise ValueError
    return bool(stored)


def _decimal(stored: Any) -> Decimal:
    if not isinstance(stored, int | float) or not isfinite(stored):
        raise ValueError
    return Decimal(stored if isinstance(stored, int) else f"{stored:.{_DIGITS}g}")


def _timestamp(stored: str) -> datetime:
    value = datetime.fromisoformat(stored)
    return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)


def _time(stored: str) -> time:
    value = time.fromisoformat(stored)
    if value.tzinfo is not None:
        raise ValueError
    return value


_READ: dict[Family, Callable[[Any], Any]] = {
    Family.BOOLEAN: _boolean,
    Family.DECIMAL: _decimal,
    Family.UUID: UUID,
    Family.DATE: date.fromisoformat,
    Family.TIME: _time,
    Family.TIMESTAMP: _timestamp,
    Family.JSON: canonical_json,
}
_WRITTEN: dict[Family, Callable[[Any], Any]] = {
    Family.BOOLEAN: int,
    Family.DECIMAL: lambda value: int(value) if value == int(value) else float(value),
    Family.UUID: lambda value: value.hex,
    Family.DATE: date.isoformat,
    Family.TIME: time.isoformat,
    Family.TIMESTAMP: lambda value: value.isoformat(" "),
}
