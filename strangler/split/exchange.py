"""Rows from one database to another: as they are between two of one engine, by value otherwise.

By value means: every value is read by the family that mapping.py agreed on, looked at whether the receiver can hold it
exactly, and compared by one canonical text, the same on all engines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal
from typing import Any
from uuid import UUID

from strangler.split.errors import Refused, SplitError, StatementFailed
from strangler.split.layout import Pair
from strangler.split.mapping import misfit
from strangler.split.spec import Side
from strangler.split.store import Store
from strangler.split.table import EVERYTHING, Column, Family, Key, Selection, Table, Value

_EXACT = Context(prec=100_000)
_SHOWN = 60


def transfer(sender: Store, receiver: Store, pair: Pair, origin: Side, selection: Selection) -> int:
    """Write the sender's rows of the selection at the receiver; their number.

    Raises SplitError with table, column and key of a value that the receiver cannot hold exactly.
    """
    given, taken = pair.of(origin), pair.of(origin.other)
    if not by_value(sender, receiver):
        return receiver.load(taken, sender.dump(given, selection))
    return receiver.insert(taken, _checked(sender, receiver, pair, origin, selection))


def by_value(one: Store, other: Store) -> bool:
    """Whether rows must be carried and compared by value."""
    return one.engine != other.engine


def refuse_misfits(source: Store, target: Store, pairs: Iterable[Pair]) -> None:
    """Look at every row whether the target can hold it exactly. This is a read-only operation.

    Raises Refused with the first value that it cannot hold.
    """
    for pair in pairs:
        try:
            for _ in _checked(source, target, pair, Side.SOURCE, EVERYTHING):
                pass
        except StatementFailed as error:
            raise Refused(f'table "{pair.source}" of the source cannot be read ({error}); correct its rows') from error
        except SplitError as error:
            raise Refused(str(error)) from error


def agreed_keys(sender: Store, receiver: Store, table: Table, keys: Iterable[Key]) -> tuple[Key, ...]:
    """Keys of the sender's log as both sides understand them, each once.

    Raises SplitError for one that they do not; but where its row is gone it never was over there.
    """
    if by_value(sender, receiver):
        keys = (agreed for key in keys if (agreed := _agreed(sender, table, key)) is not None)
    return tuple(dict.fromkeys(keys))


def digests(store: Store, table: Table) -> Iterator[tuple[Key, int]]:
    """(key, digest) of each row, comparable between all engines. This is a read-only operation."""
    for key, row in _canonical_rows(store, table, EVERYTHING):
        yield key, int.from_bytes(hashlib.blake2b(repr(row).encode(), digest_size=8).digest(), "big")


def texts(store: Store, table: Table, keys: tuple[Key, ...]) -> dict[Key, tuple[str | None, ...]]:
    """The rows with these keys, every value as its canonical text. This is a read-only operation."""
    return dict(_canonical_rows(store, table, keys))


def canonical(value: Value, family: Family) -> str | None:
    """The text of a value of the family: two texts are equal if and only if the values are."""
    return None if value is None else _CANONICAL.get(family, str)(value)


def _checked(
    sender: Store, receiver: Store, pair: Pair, origin: Side, selection: Selection
) -> Iterator[tuple[Value, ...]]:
    given, taken = pair.of(origin), pair.of(origin.other)
    for row in sender.values(given, selection):
        for value, column in zip(row, taken.columns, strict=True):
            if reason := misfit(value, column, receiver.engine):
                raise SplitError(
                    f'column "{column.name}" of table "{given}" of the {sender.name} holds {_shown(value)}, {reason} '
                    f"(row {_named(given, row)}); correct the value, or the column at the {receiver.name}"
                )
        yield row


def _canonical_rows(store: Store, table: Table, selection: Selection) -> Iterator[tuple[Key, tuple[str | None, ...]]]:
    families = [column.family for column in table.columns]
    places = _places(table)
    for row in store.values(table, selection):
        texts = tuple(map(canonical, row, families))
        yield tuple(str(texts[place]) for place in places), texts


def _places(table: Table) -> list[int]:
    names = [column.name for column in table.columns]
    return [names.index(column.name) for column in table.key]


def _agreed(sender: Store, table: Table, key: Key) -> Key | None:
    try:
        return tuple(_agreed_part(part, column) for part, column in zip(key, table.key, strict=True))
    except (ValueError, KeyError, ArithmeticError) as error:
        if not any(sender.values(table, (key,))):
            return None
        raise SplitError(
            f'the key {", ".join(key)} of table "{table}" of the {sender.name} is none that both sides understand; '
            "correct the row"
        ) from error


def _agreed_part(part: str, column: Column) -> str:
    read: Callable[[str], Any] = _FROM_TEXT.get(column.family, str)
    return _CANONICAL.get(column.family, str)(read(part))


def _named(table: Table, row: tuple[Value, ...]) -> str:
    return ", ".join(str(row[place]) for place in _places(table))


def _shown(value: Value) -> str:
    text = repr(value) if isinstance(value, str | bytes) else str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _decimal(value: Any) -> str:
    number = Decimal(value)
    return f"{number.normalize(_EXACT):f}" if number else "0"


def _timestamp(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    return value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)


# A value that is none of its family, as an engine may give it, is written as it is: it differs from all that are.
_CANONICAL: dict[Family, Callable[[Any], str]] = {
    Family.BOOLEAN: lambda value: str(int(value)) if isinstance(value, bool) else str(value),
    Family.DECIMAL: lambda value: _decimal(value) if isinstance(value, int | Decimal) else str(value),
    Family.FLOAT: lambda value: repr(value + 0.0) if isinstance(value, float) else repr(value),
    Family.BYTES: lambda value: value.hex() if isinstance(value, bytes) else repr(value),
    Family.UUID: lambda value: value.hex if isinstance(value, UUID) else str(value),
    Family.TIME: lambda value: value.isoformat() if isinstance(value, time) else str(value),
    Family.TIMESTAMP: lambda value: value.isoformat(" ") if isinstance(value, datetime) else str(value),
}
_FROM_TEXT: dict[Family, Callable[[str], Any]] = {
    Family.BOOLEAN: lambda text: {"true": True, "1": True, "false": False, "0": False}[text],
    Family.INTEGER: int,
    Family.DECIMAL: Decimal,
    Family.BYTES: bytes.fromhex,
    Family.UUID: UUID,
    Family.DATE: date.fromisoformat,
    Family.TIME: time.fromisoformat,
    Family.TIMESTAMP: _timestamp,
}
