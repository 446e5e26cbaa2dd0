"""Two shapes on SQLite: both tables as it has them, and their rows while applications write to both."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from strangler.split.errors import Refused
from strangler.split.shapes import Column, Shapes
from strangler.split.sqlite import catalog
from strangler.split.sqlite.indexes import giving_way, unique_indexes
from strangler.split.sqlite.two_shapes import TwoShapes
from strangler.split.sqlite.wording import conditions, unquoted
from strangler.split.table import Key, KeyRange, Table

if TYPE_CHECKING:
    from strangler.split.sqlite.store import SqliteStore

_ALWAYS_THE_SAME = re.compile(
    r"[+-]?\d[\w.+-]*|[xX]?'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|NULL|TRUE|FALSE|CURRENT_(?:DATE|TIME|TIMESTAMP)", re.I
)
"""The current time does not change within a statement."""


class SqliteShapes(Shapes):
    """See Shapes. Raises SplitError where a column is missing."""

    def __init__(self, store: SqliteStore, wide: str, narrow: str, columns: tuple[str, ...]) -> None:
        self.store = store
        self.wide, self.narrow, self.columns = store.describe(wide), store.describe(narrow), columns
        self.check_columns()
        found = self.described(self.wide)
        self._to = TwoShapes(
            self,
            {name: found[name].default or "NULL" for name in columns},
            giving_way(store.connection, unquoted(self.wide.relation)),
        )

    def expanded(self) -> bool:
        there = self._there()
        return self._to.equals().items() <= there.items() and self._to.tables().keys() <= there.keys()

    def contracted(self) -> bool:
        return not self._to.guards().keys().isdisjoint(self._there())

    def expand(self) -> Iterator[str]:
        yield from self._drop()
        yield from self._to.tables().values()
        yield from self._to.equals().values()

    def part(self) -> Iterator[str]:
        yield from self._drop()
        name = unquoted(self.narrow.relation).lower()
        for child, column, parent in catalog.foreign_keys(self.store.connection):
            if parent.lower() == name and child not in self._to.tables():
                raise Refused(f'a foreign key ({column}) ties "{child}" to "{self.narrow.name}"; cut it first')
        yield f"DELETE FROM {self.narrow}"

    def contract(self) -> Iterator[str]:
        yield from self._drop()
        yield from self.unguard()
        yield from self._to.guards().values()

    def expand_guarded(self) -> Iterator[str]:
        yield from self.unguard()
        yield from self._to.guards().values()
        yield from self.expand()

    def unguard(self) -> Iterator[str]:
        yield from (f"DROP TRIGGER IF EXISTS {name}" for name in self._to.guards())

    def backfill(self) -> None:
        for keys in self.ranges():
            [(within, values)] = conditions(self.wide, keys, "t")
            with self.store.transaction():
                self.store.execute(self._to.backfill(within), values)

    def fill_back(self) -> None:
        for keys in self.ranges():
            [(within, values)] = conditions(self.wide, keys, "t")
            with self.store.transaction():
                for statement in self._to.fill_back(within):
                    self.store.execute(statement, values)

    def differences(self) -> int:
        with self.store.snapshot():
            return int(self.store.scalar(self._to.differing()) + self.store.scalar(self._to.lonely()))

    def unfit(self) -> Iterator[str]:
        beside = [
            index
            for index in unique_indexes(self.store.connection, unquoted(self.narrow.relation))
            if index.columns != (self.narrow.key[0].name,)
        ]
        if beside:
            yield (
                f'table "{self.narrow.name}" has a unique index beside its key, by which a REPLACE takes rows away '
                "that no trigger sees; add it after ContractTable"
            )

    def described(self, table: Table) -> dict[str, Column]:
        return {
            name: Column(
                type=_kind(declared),
                required=bool(not_null or key),
                generated=hidden in (2, 3),
                default=default,
                computed=default is not None and _ALWAYS_THE_SAME.fullmatch(default) is None,
            )
            for _, name, declared, not_null, default, key, hidden in self.store.query(
                f"PRAGMA table_xinfo({table.relation})"
            )
        }

    def filled(self) -> bool:
        return not self.store.is_empty(self.narrow)

    def lonely(self) -> int:
        return int(self.store.scalar(self._to.lonely()))

    def _drop(self) -> Iterator[str]:
        yield from (f"DROP TRIGGER IF EXISTS {name}" for name in self._to.equals())
        yield from (f"DROP TABLE IF EXISTS {name}" for name in self._to.tables())

    def _there(self) -> dict[str, str]:
        return dict(self.store.query("SELECT name, sql FROM sqlite_master WHERE name GLOB %s", (self.name("*"),)))

    def range_end(self, keys: KeyRange, size: int) -> Key | None:
        return self.store.range_end(self.wide, keys, size)


def _kind(declared: str) -> str:
    """A key that counts is "integer", whatever points at it may be another whole number: they are kept alike."""
    return "integer" if "int" in declared.lower() else declared.lower()
