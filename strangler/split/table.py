"""Tables as the two databases describe them: columns with what they hold, and keys as all engines write them."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Context, Decimal
from typing import TypeAlias
from uuid import UUID

Key: TypeAlias = tuple[str, ...]
"""The values of a primary key as text; bytes in hexadecimal."""


Value: TypeAlias = bool | int | Decimal | float | str | bytes | UUID | date | time | datetime | None
"""What a column holds, by its family: a TIMESTAMP is a datetime in UTC without a zone, JSON is text with sorted keys
and every digit of its numbers, everything else is the Python type of its name."""


class Family(enum.StrEnum):
    """What a column holds, whatever its engine calls it."""

    BOOLEAN = "boolean"
    INTEGER = "integer"  # size is (bits), the sign among them: a bigint has 64, an unsigned one 65 and nothing below 0
    DECIMAL = "decimal"  # exact; size is (digits, digits behind the point)
    FLOAT = "float"  # IEEE 754 double precision
    TEXT = "text"  # size is (characters), or empty
    BYTES = "bytes"  # size is (bytes), or empty
    UUID = "uuid"
    DATE = "date"
    TIME = "time"  # size is (digits of the second), or empty: 6
    TIMESTAMP = "timestamp"  # in UTC, to the microsecond; size as of TIME
    JSON = "json"
    OTHER = "other"  # known to its own engine only


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column that is copied; generated ones are left out everywhere."""

    name: str
    type: str  # as the engine writes it
    family: Family = Family.OTHER
    size: tuple[int, ...] = ()
    folds: bool = False  # in a unique index that takes some different texts for the same

    def __str__(self) -> str:
        return f"{self.name} {self.type}"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of one database that is copied, captured and compared."""

    name: str  # as the plan writes it, the same on both sides
    relation: str  # as this database's SQL needs it: qualified and quoted
    columns: tuple[Column, ...]
    key: tuple[Column, ...]
    where: str | None = None  # the rows that are meant, as this database's SQL needs it; None: all

    def __str__(self) -> str:
        return self.relation


@dataclass(frozen=True, kw_only=True)
class KeyRange:
    """The keys in (after, upto]; None is unbounded."""

    after: Key | None = None
    upto: Key | None = None

    def __str__(self) -> str:
        return f"({_shown(self.after)}, {_shown(self.upto)}]"


Selection: TypeAlias = KeyRange | tuple[Key, ...]
"""Which rows: those in a range of keys, or those with these very keys."""

EVERYTHING = KeyRange()
_PLAIN_DIGITS = 40
_KEYS = json.JSONDecoder(parse_int=str, parse_float=str)
_EXACT = Context(prec=100_000)


def key_to_text(key: Key) -> str:
    """A key as it is kept in the toolkit's tables."""
    return json.dumps(key, ensure_ascii=False, separators=(",", ":"))


def key_from_text(text: str) -> Key:
    """The inverse of key_to_text; JSON numbers, as triggers write them, keep every digit."""
    return tuple(part if isinstance(part, str) else str(part).lower() for part in _KEYS.decode(text))


def canonical_json(text: str) -> str:
    """JSON with sorted keys, no blanks and every digit of its numbers, so that two texts of one value are equal."""
    return _json(json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse_constant))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _json(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json(key)}:{_json(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    if isinstance(value, Decimal):
        short = value.normalize(_EXACT)
        return f"{short:f}" if abs(short.adjusted()) < _PLAIN_DIGITS else str(short)
    return json.dumps(value, ensure_ascii=False)


def _shown(key: Key | None) -> str:
    return "" if key is None else ", ".join(key)
