"""Reads what PostgreSQL's output plugin pgoutput says of committed transactions, as far as keys need it.

Formats: "Logical Replication Message Formats" in PostgreSQL's documentation. Everything here is pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from struct import Struct
from typing import TypeAlias

from strangler.split.log import Change
from strangler.split.table import Column, Family, Key, Table

APPLIED = "strangler.applied"
"""Prefix of the message that marks a transaction of the applier's, whose rows come from the other side."""
PUT = "strangler.put"
"""Prefix of a message that is a change: [move, name, key] in JSON."""

_INT16, _INT32 = Struct("!h"), Struct("!I")
_BEGIN, _COMMIT = Struct("!QqI"), Struct("!bQQq")
_Row: TypeAlias = "list[bytes | None]"


LARGE = 5_000
"""Changes after which a transaction is given in parts, so that none is in memory as a whole."""


@dataclass(kw_only=True)
class Transaction:
    """One committed transaction, or a part of a large one."""

    xid: int
    commit: int = 0  # the place of its commit in the server's log
    end: int = 0  # the place behind that; 0 where a further part comes
    applied: bool = False  # by the applier
    size: int = 0  # changes of rows and tables, those of other tables among them
    changes: list[Change] = field(default_factory=list)


def transactions(messages: Iterable[bytes], move: str, tables: Mapping[int, Table]) -> Iterator[Transaction]:
    """The transactions in the order of their commits, with the changes of these tables, by relation number.

    A large one comes in several parts. Raises ValueError where a table's key cannot be read.
    """
    keys: dict[int, list[tuple[int, Column]]] = {}
    current = Transaction(xid=0)
    for message in messages:
        match message[:1]:
            case b"B":
                commit, _, xid = _BEGIN.unpack_from(message, 1)
                current = Transaction(xid=xid, commit=commit)
            case b"C":
                current.end = _COMMIT.unpack_from(message, 1)[2]
                yield current
            case b"R":
                (number,) = _INT32.unpack_from(message, 1)
                if number in tables:
                    keys[number] = _key_places(message, tables[number])
            case b"I" | b"U" | b"D":
                current.size += 1
                (number,) = _INT32.unpack_from(message, 1)
                if number in tables and not current.applied:
                    name, places = tables[number].name, keys[number]
                    current.changes += [Change(name=name, key=key) for key in _changed(message, places)]
            case b"T":
                current.size += 1
                named = {tables[number].name for number in _truncated(message) if number in tables}
                if not current.applied:
                    current.changes += [Change(name=name, key=None) for name in sorted(named)]
            case b"M":
                _take_message(current, message, move)
        if not current.end and len(current.changes) >= LARGE:
            yield current
            current = Transaction(xid=current.xid, commit=current.commit)
    # Without a commit there is no transaction: the server gives whole ones.


def _key_places(message: bytes, table: Table) -> list[tuple[int, Column]]:
    at = message.index(0, message.index(0, 5) + 1) + 2  # behind schema, name and replica identity
    (count,) = _INT16.unpack_from(message, at)
    at += 2
    names = []
    for _ in range(count):
        end = message.index(0, at + 1)
        names.append(message[at + 1 : end].decode())
        at = end + 9  # type and modifier
    try:
        return [(names.index(column.name), column) for column in table.key]
    except ValueError:
        raise ValueError(f'the key of "{table}" was altered; change it back, or create the move again') from None


def _changed(message: bytes, places: list[tuple[int, Column]]) -> list[Key]:
    """The keys of the row before and after, each once."""
    at, old, new = 5, None, None
    while at < len(message):
        kind = message[at : at + 1]
        row, at = _row(message, at + 1)
        if kind == b"N":
            new = row
        else:
            old = row
    if new is not None and old is not None:
        # What is not sent again, since it is long and the same, stands in the old row.
        new = [before if after is None else after for before, after in zip(old, new, strict=True)]
    return list(dict.fromkeys(_key(row, places) for row in (old, new) if row is not None))


def _row(message: bytes, at: int) -> tuple[_Row, int]:
    (count,) = _INT16.unpack_from(message, at)
    at += 2
    values: _Row = []
    for _ in range(count):
        kind = message[at : at + 1]
        at += 1
        if kind == b"t":
            (length,) = _INT32.unpack_from(message, at)
            at += 4 + length
            values.append(message[at - length : at])
        else:
            values.append(None)
    return values, at


def _key(row: _Row, places: list[tuple[int, Column]]) -> Key:
    return tuple(_part(row[place], column) for place, column in places)


def _part(value: bytes | None, column: Column) -> str:
    """One column as table.Key has it."""
    if value is None:
        raise ValueError(f'the log does not say what "{column.name}" of a key was; set REPLICA IDENTITY DEFAULT')
    text = value.decode()
    if column.family is Family.BYTES:
        return text.removeprefix("\\x")
    if column.family is Family.BOOLEAN:
        return {"t": "true", "f": "false"}[text]
    return text


def _truncated(message: bytes) -> Iterator[int]:
    (count,) = _INT32.unpack_from(message, 1)
    for place in range(count):
        yield _INT32.unpack_from(message, 6 + 4 * place)[0]


def _take_message(current: Transaction, message: bytes, move: str) -> None:
    end = message.index(0, 10)
    prefix = message[10:end].decode()
    if prefix == APPLIED:
        current.applied = True
    elif prefix == PUT:
        (length,) = _INT32.unpack_from(message, end + 1)
        whose, name, key = json.loads(message[end + 5 : end + 5 + length])
        if whose == move:
            current.size += 1
            current.changes.append(Change(name=name, key=tuple(key)))
