"""Rows of SQLite: out and in as Python has them, compared by digests made here."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import chain, islice
from math import isfinite
from typing import Any
from uuid import UUID

from strangler.split.errors import SplitError, translating
from strangler.split.sqlite import catalog
from strangler.split.sqlite.catalog import scalar
from strangler.split.sqlite.errors import translated
from strangler.split.sqlite.wording import columns, conditions, key_text, meant
from strangler.split.store import Rows
from strangler.split.table import Column, Family, Key, KeyRange, Selection, Table, Value, canonical_json, key_from_text

_PIECE = 1_000
"""Rows that are passed on together."""
_KEY_TYPES: dict[Family, type] = {Family.INTEGER: int, Family.BOOLEAN: int, Family.BYTES: bytes}
_DIGITS = 15
"""Decimal digits that SQLite's floating numbers keep: Django reads so many, too."""


@translating(translated)
class SqliteRows(Rows):
    """See Rows."""

    connection: sqlite3.Connection
    _applier = False
    _marked = False

    def is_empty(self, table: Table) -> bool:
        """See Rows.is_empty."""
        return not self.query(f"SELECT 1 FROM {table.relation} WHERE {meant(table, table.relation)} LIMIT 1")

    def estimate(self, table: Table) -> int:
        """See Rows.estimate."""
        return catalog.estimate(self.connection, table)

    def range_end(self, table: Table, keys: KeyRange, size: int) -> Key | None:
        """See Rows.range_end. Whole numbers are stepped over by arithmetic; other keys, and some rows, are counted."""
        ((condition, params),) = conditions(table, keys)
        key = columns(table.key)
        behind = f"FROM {table.relation} WHERE {condition} ORDER BY {key}"
        if [column.family for column in table.key] == [Family.INTEGER] and table.where is None:
            first = scalar(self.connection, f"SELECT {key} {behind} LIMIT 1", params)
            last = scalar(self.connection, f"SELECT {key} {behind} DESC LIMIT 1", params)
            return None if first is None or first + size > last else (str(first + size - 1),)
        found = self.connection.execute(
            f"SELECT {key_text(table.relation, table)} {behind} LIMIT 2 OFFSET ?", [*params, size - 1]
        ).fetchall()
        return key_from_text(found[0][0]) if len(found) == 2 else None

    def dump(self, table: Table, selection: Selection) -> Iterator[list[tuple[Any, ...]]]:
        """See Rows.dump."""
        found = _rows(self.connection, table, selection, columns(table.columns))
        while piece := list(islice(found, _PIECE)):
            yield piece

    def load(self, table: Table, pieces: Iterable[list[tuple[Any, ...]]]) -> int:
        """See Rows.load."""
        self._mark(True)
        return write(self.connection, table, chain.from_iterable(pieces))

    def values(self, table: Table, selection: Selection) -> Iterator[tuple[Value, ...]]:
        """See Rows.values."""
        readers = [_reader(column, strict=column in table.key) for column in table.columns]
        for row in _rows(self.connection, table, selection, columns(table.columns)):
            yield tuple(None if value is None else read(value) for read, value in zip(readers, row, strict=True))

    def insert(self, table: Table, given: Iterable[tuple[Value, ...]]) -> int:
        """See Rows.insert."""
        self._mark(True)
        writers = [_WRITTEN.get(column.family, _as_it_is) for column in table.columns]
        return write(
            self.connection,
            table,
            (
                tuple(None if value is None else written(value) for written, value in zip(writers, row, strict=True))
                for row in given
            ),
        )

    def delete(self, table: Table, selection: Selection) -> None:
        """See Rows.delete."""
        self._mark(True)
        for condition, params in conditions(table, selection):
            self.connection.execute(f"DELETE FROM {table.relation} WHERE {condition}", params)

    def checksum(self, table: Table, selection: Selection) -> tuple[int, int]:
        """See Rows.checksum."""
        count = total = 0
        for row in _rows(self.connection, table, selection, columns(table.columns)):
            count += 1
            total ^= _digest(row)
        return count, total

    def digests(self, table: Table, selection: Selection) -> Iterator[tuple[Key, int]]:
        """See Rows.digests."""
        places = [(table.columns.index(column), column, _KEY_TYPES.get(column.family, str)) for column in table.key]
        for key, row in _keyed(self.connection, table, selection):
            for place, column, wanted in places:
                if not isinstance(row[place], wanted):
                    # Looked up by its text, such a row would seem to be missing on both sides.
                    raise SplitError(
                        f'the key column "{column.name}" of {table} holds {row[place]!r}, by which no row can be '
                        f"followed; it should be {wanted.__name__}"
                    )
            yield key, _digest(row)

    def texts(self, table: Table, keys: tuple[Key, ...]) -> dict[Key, tuple[str | None, ...]]:
        """See Rows.texts."""
        return {
            key: tuple(None if value is None else repr(value) for value in row)
            for key, row in _keyed(self.connection, table, keys)
        }

    def _mark(self, at_work: bool) -> None:
        """See guards.py. Only within a transaction, so that a look at an empty log writes nothing."""
        if self._applier and self._marked is not at_work:
            assert self.connection.in_transaction  # committed by itself, the mark would open the fence for everybody
            self.connection.execute("UPDATE strangler_applier SET at_work = ?", (at_work,))
            self._marked = at_work


def write(connection: sqlite3.Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> int:
    """Write rows as SQLite stores them; their number."""
    places = ", ".join("?" * len(table.columns))
    return connection.executemany(
        f"INSERT INTO {table.relation} ({columns(table.columns)}) VALUES ({places})",
        rows,
    ).rowcount


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
    as_written = _WRITTEN.get(column.family, _as_it_is)

    def read(stored: Any) -> Value:
        try:
            value = wanted(stored)
        except (ValueError, TypeError, ArithmeticError, AttributeError):
            return _unread(column, stored)
        return _unread(column, stored) if strict and as_written(value) != stored else value

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
