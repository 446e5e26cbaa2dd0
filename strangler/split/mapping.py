"""Columns of two engines: what both shall hold, or why that cannot be exact; and the values that do not fit.

Everything here is pure. The sizes are those of table.Family.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite, isnan
from uuid import UUID

from strangler.split.table import Column, Family, Value

POSTGRESQL, MYSQL, MARIADB, SQLITE = "postgresql", "mysql", "mariadb", "sqlite"

_MYSQLS = (MYSQL, MARIADB)

_WITHOUT_BOUND = (2**24 - 1,)
"""Characters from which on a text column is taken for one that is not bounded."""
_UNSIGNED_BIGINT = (65,)
_SQLITE_DIGITS = 15
"""Decimal digits that survive in SQLite: it keeps decimals as floating numbers."""
_HINTS = (
    # (what the type begins with, or has in it; what to do instead)
    (r"\[\]", "keep arrays as JSON, or as rows of a table of their own"),
    (r"^interval", "keep durations as a bigint of microseconds"),
    (r"range$|^multirange", "keep both bounds in columns of their own"),
    (r"^hstore", "make it jsonb"),
    (r"^(inet|cidr|macaddr)", "make it varchar(39)"),
    (r"^(real|float)", "single precision is not written alike everywhere; make it double precision"),
    (r"^(character\(|char\(|\"?char)", "make it varchar, which is not padded with blanks"),
    (r"^citext", "make it text with an index on lower()"),
    (r"^time.* with time zone", "make it a time without time zone"),
    (r"^(enum|set)\(", "make it varchar"),
    (r"^(uuid|json)", "SQLite turns such texts into numbers where they look like one; declare char(32) or text"),
)
_CODECS = {"ascii": "ascii", "latin1": "cp1252", "utf8": "utf-8", "utf8mb3": "utf-8"}
"""Python's names of MySQL's character sets that have not every character; the last two have those of three bytes."""
_NUL_IN_JSON = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def map_columns(source: Column, target: Column, engines: tuple[str, str]) -> tuple[Column, Column]:
    """Both columns with the family that both shall use, each with its own size.

    "engines" are the source's and the target's. Raises ValueError, a sentence with what to do, where values would not
    be the same on both sides.
    """
    for column, engine in zip((source, target), engines, strict=True):
        if column.family is Family.OTHER:
            raise ValueError(_unknown(column, engine))
    family = _shared(source, target)
    if family in (Family.TEXT, Family.BYTES) and (source.folds or target.folds):
        raise ValueError(
            "a unique index takes some different values for the same (by its collation, or by their beginnings), which "
            "the other engine does not; give the column the collation BINARY on SQLite, utf8mb4_nopad_bin on MariaDB, "
            "utf8mb4_0900_bin on MySQL, and index it whole"
        )
    pair = _sized(source, family), _sized(target, family)
    # What SQLite declares is no promise: there, value by value is looked at.
    if engines[0] != SQLITE and (narrow := _narrower(pair[0], pair[1], engines[1])):
        raise ValueError(narrow)
    return pair


def misfit(value: Value, column: Column, engine: str) -> str | None:
    """Why a column of that engine cannot hold the value exactly, as the end of a sentence; None where it can."""
    return None if value is None else _MISFITS[column.family](value, column, engine)


def _unknown(column: Column, engine: str) -> str:
    hints = [hint for pattern, hint in _HINTS if re.search(pattern, column.type.lower())]
    return (
        f'the type "{column.type}" of {engine} has no equal in another engine; '
        f"{hints[0] if hints else 'change it to a common type first'}"
    )


def _shared(source: Column, target: Column) -> Family:
    if source.family is target.family:
        return source.family
    by_family = {column.family: column for column in (source, target)}
    text, integer, exact = (by_family.get(family) for family in (Family.TEXT, Family.INTEGER, Family.DECIMAL))
    if text and Family.UUID in by_family and text.size == (32,):
        return Family.UUID
    if text and Family.JSON in by_family and (not text.size or text.size >= _WITHOUT_BOUND):
        return Family.JSON
    if integer and Family.BOOLEAN in by_family and integer.type.lower().startswith("tinyint(1)"):
        return Family.BOOLEAN
    if integer and exact and exact.size[1:] == (0,):
        return Family.DECIMAL
    raise ValueError(
        f'"{source.type}" holds {source.family} and "{target.type}" {target.family} values; make both the same'
        + (", a uuid as char(32)" if text and Family.UUID in by_family else "")
    )


def _sized(column: Column, family: Family) -> Column:
    """The column with the shared family, and a size of that family."""
    if column.family is family:
        return column
    size: tuple[int, ...] = ()
    if family is Family.DECIMAL:  # of an integer: the digits of its greatest number
        size = (len(str(_bounds(column.size)[1])), 0)
    return replace(column, family=family, size=size)


def _narrower(source: Column, target: Column, engine: str) -> str | None:
    if source.family is Family.DECIMAL and engine == SQLITE:
        if source.size and source.size[0] <= _SQLITE_DIGITS:
            return None
        return (
            f'SQLite keeps {_SQLITE_DIGITS} digits of a decimal exactly, and "{source.type}" has more; give it fewer, '
            "or keep it as text"
        )
    if source.family is Family.INTEGER:
        narrow = _bounds(source.size)[1] > _bounds(target.size)[1]
        unsigned = source.size == _UNSIGNED_BIGINT
        wider = "numeric(20)" if unsigned else "bigint"
        return f'"{target.type}" takes fewer numbers than "{source.type}"; make it {wider}' if narrow else None
    if source.family is Family.DECIMAL:
        narrow = bool(target.size) and (
            not source.size
            or source.size[0] - source.size[1] > target.size[0] - target.size[1]
            or source.size[1] > target.size[1]
        )
    else:
        # Characters, bytes, or digits of a second; without a size there are as many as there can be.
        narrow = bool(target.size) and (not source.size or source.size > target.size)
        if source.family in (Family.TIME, Family.TIMESTAMP):
            narrow = (source.size or (6,)) > (target.size or (6,))
    return f'"{target.type}" is narrower than "{source.type}"; make it as wide' if narrow else None


def _bounds(size: tuple[int, ...]) -> tuple[int, int]:
    bits = size[0] if size else 64
    greatest = 2 ** (bits - 1) - 1
    return (0 if bits % 2 else -greatest - 1), greatest


def _boolean(value: Value, column: Column, engine: str) -> str | None:
    return None if isinstance(value, bool) else "which is neither true nor false"


def _integer(value: Value, column: Column, engine: str) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return "which is no whole number"
    least, greatest = _bounds(column.size)
    return None if least <= value <= greatest else f"which is out of the range of {column.type}"


def _decimal(value: Value, column: Column, engine: str) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return "which is no decimal number"
    number = Decimal(value)
    if not number.is_finite():
        return "which is no number that every engine has"
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # of finite numbers it is
    text = "".join(map(str, digits)).lstrip("0")
    needed = len(text.rstrip("0"))
    behind = max(0, -exponent - (len(text) - needed)) if text else 0
    before = max(0, len(text) + exponent)
    if column.size and (before > column.size[0] - column.size[1] or behind > column.size[1]):
        return f"which has more digits than {column.type}"
    if engine == SQLITE and column.type.lower().startswith(("decimal", "numeric")) and needed > _SQLITE_DIGITS:
        return f"which has more than the {_SQLITE_DIGITS} digits that SQLite keeps"
    return None


def _float(value: Value, column: Column, engine: str) -> str | None:
    if not isinstance(value, float):
        return "which is no floating number"
    if (isnan(value) and engine != POSTGRESQL) or (not isfinite(value) and engine in _MYSQLS):
        return f"which {engine} does not have"
    return None


def _text(value: Value, column: Column, engine: str) -> str | None:
    if not isinstance(value, str):
        return "which is no text"
    if engine == POSTGRESQL and "\0" in value:
        return "with a NUL character, which PostgreSQL does not take"
    if column.size and len(value) > column.size[0]:
        return f"which is longer than {column.type}"
    if engine in _MYSQLS and (reason := _not_as_it_is(value, column.type)):
        return reason
    return _not_utf8(value)


def _not_as_it_is(value: str, written: str) -> str | None:
    """What MySQL would take away from a text, or could not write."""
    if written.startswith("char(") and value.endswith(" "):
        return "which ends with a blank, and char does not keep those; make it varchar"
    collation = written.rpartition(" ")[2]
    if codec := _CODECS.get(collation.partition("_")[0]):
        try:
            fits = all(len(character.encode(codec)) <= 3 for character in value)
        except UnicodeEncodeError:
            fits = False
        return None if fits else f"which the character set of {collation} cannot write; make it utf8mb4"
    return None


def _bytes(value: Value, column: Column, engine: str) -> str | None:
    if not isinstance(value, bytes):
        return "which is no bytes"
    if engine in _MYSQLS and column.type.startswith("binary(") and len(value) < column.size[0]:
        return f"which is shorter than {column.type}, and would be filled up with zeros; make it varbinary"
    return f"which is longer than {column.type}" if column.size and len(value) > column.size[0] else None


def _uuid(value: Value, column: Column, engine: str) -> str | None:
    return None if isinstance(value, UUID) else "which is no UUID of 32 small hexadecimal digits"


def _date(value: Value, column: Column, engine: str) -> str | None:
    if not isinstance(value, date) or isinstance(value, datetime):
        return "which is no date from 0001-01-01 to 9999-12-31"
    return _too_early(value, engine)


def _time(value: Value, column: Column, engine: str) -> str | None:
    if not isinstance(value, time) or value.tzinfo is not None:
        return "which is no time from 00:00:00 to 23:59:59.999999"
    return _too_fine(value.microsecond, column)


def _timestamp(value: Value, column: Column, engine: str) -> str | None:
    if not isinstance(value, datetime) or value.tzinfo is not None:
        return "which is no date and time from year 1 to 9999, written as 2024-12-31 23:59:59"
    if engine in _MYSQLS and column.type.lower().startswith("timestamp") and not 1970 < value.year < 2038:
        return "which is out of the range of timestamp; make it datetime(6)"
    return _too_early(value, engine) or _too_fine(value.microsecond, column)


def _json(value: Value, column: Column, engine: str) -> str | None:
    if not isinstance(value, str):
        return "which is no JSON that every engine reads"
    if engine == POSTGRESQL and _NUL_IN_JSON.search(value):
        return "with a NUL character, which PostgreSQL does not take"
    if engine == MYSQL and (number := _rounded(value)) is not None:
        return f"with the number {number}, which MySQL would round; write it as a text"
    return _not_utf8(value)


def _rounded(value: str) -> str | None:
    """A number of the JSON that MySQL would not keep: beyond 64 bits it has floating ones only."""
    numbers: list[str] = []
    json.loads(value, parse_int=numbers.append, parse_float=numbers.append)
    for number in numbers:
        exact = Decimal(number)
        if not (exact == exact.to_integral_value() and -(2**63) <= exact < 2**64) and exact != Decimal(
            repr(float(number))
        ):
            return number
    return None


def _not_utf8(value: str) -> str | None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return "with half a character, which cannot be written as UTF-8"
    return None


def _too_early(value: date, engine: str) -> str | None:
    return (
        "which is before the year 1000, where MySQL's dates begin" if engine in _MYSQLS and value.year < 1000 else None
    )


def _too_fine(microsecond: int, column: Column) -> str | None:
    digits = column.size[0] if column.size else 6
    return f"which is finer than {column.type}" if microsecond % 10 ** (6 - digits) else None


_MISFITS: dict[Family, Callable[[Value, Column, str], str | None]] = {
    Family.BOOLEAN: _boolean,
    Family.INTEGER: _integer,
    Family.DECIMAL: _decimal,
    Family.FLOAT: _float,
    Family.TEXT: _text,
    Family.BYTES: _bytes,
    Family.UUID: _uuid,
    Family.DATE: _date,
    Family.TIME: _time,
    Family.TIMESTAMP: _timestamp,
    Family.JSON: _json,
}
