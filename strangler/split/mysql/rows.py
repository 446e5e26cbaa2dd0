"""Rows of MySQL: out as literals that the server writes, in by long INSERTs, compared by checksums that it makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from pymysql.cursors import SSCursor

from strangler.split.errors import SplitError, translating
from strangler.split.mysql import catalog, wording
from strangler.split.mysql.catalog import is_mariadb
from strangler.split.mysql.errors import translated
from strangler.split.mysql.wording import Connection
from strangler.split.store import Rows
from strangler.split.table import (
    EVERYTHING,
    Column,
    Family,
    Key,
    KeyRange,
    Selection,
    Table,
    Value,
    canonical_json,
    key_from_text,
)

_PIECE = 1_000
"""Rows that are passed on at once."""
_STATEMENT = 1 << 20
"""Bytes of one INSERT: longer ones are no faster, and every server takes this."""


@translating(translated)
class MySQLRows(Rows):
    """See Rows."""

    connection: Connection

    def is_empty(self, table: Table) -> bool:
        """See Rows.is_empty."""
        [everything] = wording.conditions(table, EVERYTHING)
        return not catalog.query(self.connection, f"SELECT 1 FROM {table.relation} WHERE {everything} LIMIT 1")

    def estimate(self, table: Table) -> int:
        """See Rows.estimate."""
        return catalog.estimate(self.connection, table)

    def range_end(self, table: Table, keys: KeyRange, size: int) -> Key | None:
        """See Rows.range_end. Whole numbers are stepped over by arithmetic; other keys, and some rows, are counted."""
        [within] = wording.conditions(table, keys)
        key = wording.key_columns(table)
        with self.connection.cursor() as cursor:
            if [column.family for column in table.key] == [Family.INTEGER] and table.where is None:
                cursor.execute(f"SELECT MIN({key}), MAX({key}) FROM {table.relation} WHERE {within}")
                [(first, last)] = cursor.fetchall()
                return None if first is None or first + size > last else (str(first + size - 1),)
            text = wording.key_text(table.relation, table)
            cursor.execute(
                f"SELECT {text} FROM {table.relation} WHERE {within} ORDER BY {key} LIMIT 2 OFFSET {size - 1}"
            )
            found = cursor.fetchall()
            return key_from_text(found[0][0]) if len(found) == 2 else None

    def dump(self, table: Table, selection: Selection) -> Iterator[list[bytes]]:
        """See Rows.dump."""
        literals = ", ',', ".join(map(wording.as_literal, table.columns))
        row = f"IF({wording.too_long(table)}, NULL, CAST(CONCAT('(', {literals}, ')') AS BINARY))"
        piece: list[bytes] = []
        for (written,) in _select(self.connection, table, selection, [row]):
            if written is None:
                raise too_long(table)
            piece.append(written)
            if len(piece) >= _PIECE:
                yield piece
                piece = []
        yield piece

    def load(self, table: Table, pieces: Iterable[list[bytes]]) -> int:
        """See Rows.load."""
        begin = f"INSERT INTO {table.relation} ({wording.columns(table)}) VALUES ".encode()
        total = size = 0
        gathered: list[bytes] = []
        for piece in pieces:
            for row in piece:
                if gathered and size + len(row) > _STATEMENT:
                    total += self.connection.query(begin + b",".join(gathered))
                    gathered, size = [], 0
                gathered.append(row)
                size += len(row) + 1
        return total + (self.connection.query(begin + b",".join(gathered)) if gathered else 0)

    def values(self, table: Table, selection: Selection) -> Iterator[tuple[Value, ...]]:
        """See Rows.values."""
        names = [wording.identifier(column.name) for column in table.columns]
        readers = [_reader(column, strict=column in table.key) for column in table.columns]
        for row in _select(self.connection, table, selection, names):
            yield tuple(
                value if reader is None or value is None else _read(reader, value, table, column)
                for value, reader, column in zip(row, readers, table.columns, strict=True)
            )

    def insert(self, table: Table, given: Iterable[tuple[Value, ...]]) -> int:
        """See Rows.insert."""

        # As Django writes them: without dashes where they are kept as text.
        as_text = [wording.base_type(column) == "char" for column in table.columns]

        def written(value: Value, as_text: bool) -> str:
            if isinstance(value, UUID):
                return wording.literal(value.hex if as_text else str(value))
            return str(self.connection.escape(value, self.connection.encoders))

        return self.load(
            table,
            ([f"({','.join(map(written, row, as_text))})".encode(errors="surrogateescape")] for row in given),
        )

    def delete(self, table: Table, selection: Selection) -> None:
        """See Rows.delete."""
        with self.connection.cursor() as cursor:
            for condition in wording.conditions(table, selection):
                cursor.execute(f"DELETE FROM {table.relation} WHERE {condition}")

    def checksum(self, table: Table, selection: Selection) -> tuple[int, int]:
        """See Rows.checksum."""
        rows = total = 0
        for condition in wording.conditions(table, selection):
            with self.connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT COUNT(*), COALESCE(BIT_XOR({_row_hash(self.connection, table)}), 0), "
                    f"COALESCE(SUM({wording.too_long(table)}), 0) FROM {table.relation} WHERE {condition}"
                )
                [(count, part, long)] = cursor.fetchall()
            if long:
                raise too_long(table)
            rows += int(count)
            total ^= int(part)
        return rows, total

    def digests(self, table: Table, selection: Selection) -> Iterator[tuple[Key, int]]:
        """See Rows.digests."""
        key = wording.key_text(table.relation, table)
        wanted = [key, _row_hash(self.connection, table), wording.too_long(table)]
        for text, digest, long in _select(self.connection, table, selection, wanted):
            if long:
                raise too_long(table)
            yield key_from_text(text), int(digest)

    def texts(self, table: Table, keys: tuple[Key, ...]) -> dict[Key, tuple[str | None, ...]]:
        """See Rows.texts."""
        key = wording.key_text(table.relation, table)
        values = [_shown(column) for column in table.columns]
        found = {}
        for text, long, *row in _select(
            self.connection, table, keys, [key, wording.too_long(table, in_hexadecimal=True), *values]
        ):
            if long:
                raise too_long(table)
            found[key_from_text(text)] = tuple(row)
        return found


def too_long(table: Table) -> SplitError:
    """What to raise for a row of which the server gives NULL."""
    return SplitError(f'a row of table "{table}" is longer than the server\'s max_allowed_packet; set that higher')


def _select(
    connection: Connection, table: Table, selection: Selection, expressions: list[str]
) -> Iterator[tuple[Any, ...]]:
    """Rows of the selection, each once."""
    conditions = list(wording.conditions(table, selection))
    # Two keys may be one by the collation, and then their row is found by two statements.
    twice = len(conditions) > 1 and any(column.family is Family.TEXT for column in table.key)
    wanted = [*expressions, wording.key_text(table.relation, table)] if twice else expressions
    seen: set[str] = set()
    for condition in conditions:
        with connection.cursor(SSCursor) as cursor:
            cursor.execute(f"SELECT {', '.join(wanted)} FROM {table.relation} WHERE {condition}")
            for row in cursor:
                if twice and row[-1] in seen:
                    continue
                if twice:
                    seen.add(row[-1])
                yield row[: len(expressions)]


def _row_hash(connection: Connection, table: Table) -> str:
    """64 bits of a hash of the row. MySQL 9.6 has given up MD5, which is the quicker one."""
    # Not CONCAT_WS, which leaves out what is NULL.
    digested = "CONCAT(" + ", ',', ".join(map(wording.as_digested, table.columns)) + ")"
    hashed = f"MD5({digested})" if is_mariadb(connection) else f"SHA2({digested}, 256)"
    return f"CAST(CONV(LEFT({hashed}, 16), 16, 10) AS UNSIGNED)"


def _shown(column: Column) -> str:
    if column.family is Family.BYTES or wording.base_type(column) in wording.GEOMETRIES:
        return f"HEX({wording.identifier(column.name)})"
    if wording.is_text(column):
        return f"CONVERT({wording.identifier(column.name)} USING utf8mb4)"
    return wording.text(column)


def _read(reader: Callable[[Any], Value], value: Any, table: Table, column: Column) -> Value:
    try:
        return reader(value)
    except (ValueError, TypeError) as error:
        raise SplitError(
            f'column "{column.name}" of table "{table}" holds {json.dumps(str(value))}, which other engines cannot '
            "hold; correct the row first"
        ) from error


def _reader(column: Column, *, strict: bool) -> Callable[[Any], Value] | None:
    # Rows are looked up by the text of their key, so that one must be written as we would write it.
    if strict and column.family is Family.UUID and wording.base_type(column) == "char":
        return _plain_uuid
    return _READERS.get(column.family)


def _plain_uuid(value: str) -> UUID:
    found = UUID(value)
    if found.hex != value:
        raise ValueError(value)
    return found


def _boolean(value: int) -> bool:
    if value not in (0, 1):
        raise ValueError(value)
    return bool(value)


def _date(value: date | datetime | str) -> Value:
    # Dates that Python does not know come as text: 0000-00-00, the 31st of February.
    if isinstance(value, str):
        raise ValueError(value)
    return value


def _time(value: timedelta) -> Value:
    if not timedelta(0) <= value < timedelta(days=1):
        raise ValueError(value)
    return (datetime(1970, 1, 1) + value).time()  # noqa: DTZ001 - a time of day has no zone


def _other(value: Any) -> Value:
    raise ValueError(value)


_READERS: dict[Family, Callable[[Any], Value]] = {
    Family.BOOLEAN: _boolean,
    Family.UUID: lambda value: UUID(str(value)),
    Family.DATE: _date,
    Family.TIME: _time,
    Family.TIMESTAMP: _date,
    Family.JSON: canonical_json,
    Family.OTHER: _other,
}
