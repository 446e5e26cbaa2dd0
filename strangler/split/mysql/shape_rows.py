"""Two shapes on MySQL: both tables as it has them, and their rows while applications write to both.

No change of the schema can be taken back. So what is there is left, and each list of statements is in such an order
that it may stop anywhere, and the next run goes on.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from strangler.split.errors import Busy, Refused
from strangler.split.mysql import catalog, references, wording
from strangler.split.mysql.guards import forbids_truncate
from strangler.split.mysql.two_shapes import Trigger, TwoShapes
from strangler.split.mysql.wording import identifier, literal
from strangler.split.shapes import Column, Shapes
from strangler.split.table import Key, KeyRange, Table

if TYPE_CHECKING:
    from strangler.split.mysql.store import MySQLStore

_ATTEMPTS = 50
_PAUSE = 0.1
_ALWAYS_THE_SAME = re.compile(r"[+-]?\d[\w.+-]*|_?\w*'(?:[^'\\]|''|\\.)*'|NULL", re.I)


class MySQLShapes(Shapes):
    """See Shapes. Raises SplitError where a column is missing."""

    def __init__(self, store: MySQLStore, wide: str, narrow: str, columns: tuple[str, ...]) -> None:
        self.store = store
        self.wide, self.narrow, self.columns = store.describe(wide), store.describe(narrow), columns
        self.check_columns()
        found = self.described(self.wide)
        self._to = TwoShapes(self, {name: found[name].default or "NULL" for name in columns})
        self._forbidding = {
            identifier(f"{catalog.GUARD}{self.name('wide')}"): self.wide,
            identifier(f"{catalog.GUARD}{self.name('narrow')}"): self.narrow,
        }

    def expanded(self) -> bool:
        tables = self._tables()
        return not list(self._missing(self._to.equals())) and all(
            name.strip("`") in tables for name in (self._to.leaving, *self._forbidding)
        )

    def begun(self) -> bool:
        return self._any_of(self._to.equals())

    def contracted(self) -> bool:
        return self._any_of(self._to.guards())

    def expand(self) -> Iterator[str]:
        yield self._to.keys_that_leave()
        tables = self._tables()
        for name, table in self._forbidding.items():
            if name.strip("`") not in tables:
                yield forbids_truncate(name, table)
        yield from self._missing(self._to.equals())

    def part(self) -> Iterator[str]:
        for name, child, parent, _, _ in references.foreign_keys(self.store.connection):
            if parent == catalog.bare(self.narrow):
                raise Refused(f'the foreign key "{name}" ties "{child}" to "{self.narrow.name}"; cut it first')
        # The narrow table gets no more rows, then loses them; until then a wide row that goes takes its own along.
        delete, *others = self._to.equals()
        yield from (trigger.drop() for trigger in others)
        yield from self._allow_truncate()
        yield f"TRUNCATE {self.narrow}"
        yield delete.drop()
        yield f"DROP TABLE IF EXISTS {self._to.leaving}"

    def contract(self) -> Iterator[str]:
        # The guard first: an old column that is behind must not be carried over.
        yield from self._missing(self._to.guards())
        into_wide = [trigger for trigger in self._to.equals() if trigger.relation == self.narrow.relation]
        from_wide = [trigger for trigger in self._to.equals() if trigger.relation == self.wide.relation]
        yield from (trigger.drop() for trigger in (*into_wide, *from_wide))
        yield from self._allow_truncate()
        yield f"DROP TABLE IF EXISTS {self._to.leaving}"

    def expand_guarded(self) -> Iterator[str]:
        yield from self._missing(self._to.guards())
        yield from self.expand()

    def unguard(self) -> Iterator[str]:
        yield from (trigger.drop() for trigger in self._to.guards())

    def backfill(self) -> None:
        for keys in self.ranges():
            self._patiently([self._to.backfill(self._within(self.wide, keys, "t"))])

    def fill_back(self) -> None:
        for keys in self.ranges():
            within = (self._within(self.wide, keys, "t"), self._within(self.narrow, keys, "n"))
            self._patiently(list(self._to.fill_back(*within)))

    def differences(self) -> int:
        with self.store.snapshot():
            return int(self._count(self._to.differing()) + self._count(self._to.lonely()))

    def unfit(self) -> Iterator[str]:
        ours = {catalog.bare(self.wide), catalog.bare(self.narrow)}
        for name, child, parent, on_delete, on_update in references.foreign_keys(self.store.connection):
            for event, rule in (("DELETE", on_delete), ("UPDATE", on_update)):
                # From the narrow table to the wide one it finds nothing to do any more.
                if child in ours and parent not in ours and rule not in ("RESTRICT", "NO ACTION"):
                    yield (
                        f'the foreign key "{name}" changes rows of "{child}" by ON {event} {rule}, which fires no '
                        f"trigger, so that the other table would not follow; make it ON {event} RESTRICT"
                    )
        # A narrow row that is deleted alone leaves the defaults.
        yield from self.lacking_defaults()

    def described(self, table: Table) -> dict[str, Column]:
        types = {column.name: column.type for column in table.columns}
        mariadb = catalog.is_mariadb(self.store.connection)
        found = {}
        for name, written, nullable, extra, given in catalog.query(
            self.store.connection,
            "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, EXTRA, COLUMN_DEFAULT FROM information_schema.COLUMNS "
            "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s",
            (catalog.bare(table),),
        ):
            computed = "DEFAULT_GENERATED" in extra
            plain = not mariadb and not computed and not str(given).startswith("b'")
            default = literal(given) if plain and given is not None else given
            found[name] = Column(
                type=types.get(name, written),
                required=nullable == "NO",
                generated="GENERATED" in extra and not computed,
                default=default,
                computed=default is not None and (computed or _ALWAYS_THE_SAME.fullmatch(default) is None),
            )
        return found

    def filled(self) -> bool:
        return not self.store.is_empty(self.narrow)

    def lonely(self) -> int:
        return self._count(self._to.lonely())

    def _allow_truncate(self) -> Iterator[str]:
        yield from (f"DROP TABLE IF EXISTS {name}" for name in self._forbidding)

    def _missing(self, triggers: Iterator[Trigger]) -> Iterator[str]:
        there = catalog.triggers(self.store.connection)
        for trigger in triggers:
            table = trigger.relation[1:-1].replace("``", "`")
            if there.get((trigger.name, table)) != catalog.plain(trigger.body):
                yield trigger.drop()
                yield trigger.create()

    def _any_of(self, triggers: Iterator[Trigger]) -> bool:
        there = {name for name, _ in catalog.triggers(self.store.connection)}
        return any(trigger.name in there for trigger in triggers)

    def _tables(self) -> set[str]:
        return {name for (name,) in catalog.query(self.store.connection, "SHOW TABLES")}

    def _count(self, statement: str) -> int:
        return int(catalog.scalar(self.store.connection, statement))

    def _within(self, table: Table, keys: KeyRange, row: str) -> str:
        [condition] = wording.conditions(table, keys, row)
        return condition

    def range_end(self, keys: KeyRange, size: int) -> Key | None:
        return self.store.range_end(self.wide, keys, size)

    def _patiently(self, statements: Sequence[str]) -> None:
        """One transaction, again and again while others are in its way."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self.store.transaction():
                    self.store.run(statements)
                return
            except Busy:
                if attempt == _ATTEMPTS:
                    raise
                time.sleep(_PAUSE)
