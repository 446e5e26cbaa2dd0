"""The statements of SQLite that keep two shapes equal, or guard the old one; `shape_rows.py` has the rows.

Nothing comes between two statements of a transaction, and a trigger that finds the other table as it should be writes
nothing, which ends the echo. Writes of a trigger may be ignored where the application's statement says OR IGNORE, so
that each looks at the end whether they are there. The one thing that can be checked at the end of a transaction is a
foreign key: "gone" holds the keys of narrow rows that were deleted while their wide ones stay, and points at them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from strangler.split.shapes import Shapes
from strangler.split.sqlite.wording import literal, quoted


class TwoShapes:
    """The statements of one split.

    "defaults" are what the wide table gives the columns, in SQL, and "giving_way" conditions for the rows of it that a
    REPLACE would take away.
    """

    def __init__(self, of: Shapes, defaults: Mapping[str, str], giving_way: Sequence[str]) -> None:
        self.of, self.defaults, self.giving_way = of, defaults, giving_way
        self.wide, self.narrow = of.wide.relation, of.narrow.relation
        self.pk, self.key = quoted(of.wide.key[0].name), quoted(of.narrow.key[0].name)
        self.columns = [quoted(name) for name in of.columns]
        self.gone, self.met = of.name("gone"), of.name("met")

    def tables(self) -> dict[str, str]:
        """What the triggers need, by name."""
        return {
            self.gone: f"CREATE TABLE {self.gone} (key PRIMARY KEY REFERENCES {self.narrow} ({self.key}) "
            "DEFERRABLE INITIALLY DEFERRED)",
            self.met: f"CREATE TABLE {self.met} (key PRIMARY KEY)",
        }

    def equals(self) -> dict[str, str]:
        """The triggers that keep both equal, by name."""
        forget = f"DELETE FROM {self.gone} WHERE key ="
        wide_there = f"EXISTS (SELECT 1 FROM {self.wide} WHERE {self.pk} = {{}})"
        moved = f"OLD.{self.pk} IS NOT NEW.{self.pk}"
        into_wide = [
            self._raise(self.of.alone, f"NOT {wide_there.format(f'NEW.{self.key}')}"),
            f"UPDATE {self.wide} SET ({', '.join(self.columns)}) = (SELECT {self._of('n')} FROM {self.narrow} n "
            f"WHERE n.{self.key} = NEW.{self.key}) WHERE {self.pk} = NEW.{self.key} AND NOT "
            + self._both(f"NEW.{self.key}"),
            self._raise(self._ignored, f"NOT {self._both(f'NEW.{self.key}')}"),
            f"{forget} NEW.{self.key}",
        ]
        left = f"INSERT OR IGNORE INTO {self.gone} SELECT OLD.{self.key} WHERE {wide_there.format(f'OLD.{self.key}')}"
        return dict(
            [
                # Before: a key of the narrow table that points at the wide one may be of those that look at once.
                self._trigger(
                    "delete",
                    f"BEFORE DELETE ON {self.wide}",
                    f"DELETE FROM {self.narrow} WHERE {self.key} = OLD.{self.pk}",
                ),
                self._trigger("deleted", f"AFTER DELETE ON {self.wide}", f"{forget} OLD.{self.pk}"),
                self._trigger("insert", f"AFTER INSERT ON {self.wide}", *self._into_narrow()),
                self._trigger(
                    "update",
                    f"AFTER UPDATE ON {self.wide} WHEN {moved} OR NOT ({self._same('OLD', 'NEW')})",
                    f"UPDATE {self.narrow} SET {self.key} = NEW.{self.pk} WHERE {self.key} = OLD.{self.pk} AND {moved}",
                    f"{forget} OLD.{self.pk} AND {moved}",
                    *self._into_narrow(),
                ),
                *self._replaced(),
                self._trigger("write", f"AFTER INSERT ON {self.narrow}", *into_wide),
                self._trigger(
                    "rewrite",
                    f"AFTER UPDATE ON {self.narrow}",
                    f"{left} AND OLD.{self.key} IS NOT NEW.{self.key}",
                    *into_wide,
                ),
                self._trigger("leave", f"AFTER DELETE ON {self.narrow}", left),
            ]
        )

    def guards(self) -> dict[str, str]:
        """The triggers that refuse whoever changes the old columns, or gives them a value, by name.

        What makes them as the narrow row has them passes: that is how they are filled again.
        """
        there = (
            f"EXISTS (SELECT 1 FROM {self.narrow} n WHERE n.{self.key} = NEW.{self.pk} AND {self._same('n', 'NEW')})"
        )
        given = " OR ".join(
            f"NEW.{quoted(name)} IS NOT ({default}) COLLATE BINARY" for name, default in self.defaults.items()
        )
        return dict(
            [
                self._trigger(
                    "keep",
                    f"BEFORE UPDATE ON {self.wide} WHEN NOT ({self._same('OLD', 'NEW')})",
                    self._raise(self.of.gone, f"NOT {there}"),
                ),
                self._trigger("given", f"AFTER INSERT ON {self.wide} WHEN {given}", self._raise(self.of.gone, "1")),
            ]
        )

    def backfill(self, within: str) -> str:
        """Give the wide rows that meet a condition, as "t", their narrow ones."""
        return (
            f"INSERT INTO {self.narrow} ({self.key}, {', '.join(self.columns)}) SELECT t.{self.pk}, {self._of('t')} "
            f"FROM {self.wide} t WHERE {within} AND {self._unpaired}"
        )

    def fill_back(self, within: str) -> Iterator[str]:
        """Bring the old columns of these rows up to the narrow table."""
        defaults = ", ".join(f"({default})" for default in self.defaults.values())
        # The narrow row carries them over by itself.
        yield (
            f"INSERT INTO {self.narrow} ({self.key}, {', '.join(self.columns)}) SELECT t.{self.pk}, {defaults} "
            f"FROM {self.wide} t WHERE {within} AND {self._unpaired}"
        )
        yield (
            f"UPDATE {self.wide} AS t SET ({', '.join(self.columns)}) = (SELECT {self._of('n')} FROM {self.narrow} n "
            f"WHERE n.{self.key} = t.{self.pk}) WHERE {within} AND NOT {self._both(f't.{self.pk}')}"
        )

    def differing(self) -> str:
        """The number of wide rows without a narrow one that is the same."""
        return (
            f"SELECT count(*) FROM {self.wide} t WHERE NOT EXISTS (SELECT 1 FROM {self.narrow} n "
            f"WHERE n.{self.key} = t.{self.pk} AND {self._same('n', 't')})"
        )

    def lonely(self) -> str:
        """The number of narrow rows without a wide one."""
        return (
            f"SELECT count(*) FROM {self.narrow} n WHERE NOT EXISTS "
            f"(SELECT 1 FROM {self.wide} t WHERE t.{self.pk} = n.{self.key})"
        )

    @property
    def _unpaired(self) -> str:
        return f"NOT EXISTS (SELECT 1 FROM {self.narrow} n WHERE n.{self.key} = t.{self.pk})"

    @property
    def _ignored(self) -> str:
        wide, narrow = self.of.wide.name, self.of.narrow.name
        return f"{', '.join(self.of.columns)} are the same in tables {wide} and {narrow}, or not written at all"

    def _into_narrow(self) -> Iterator[str]:
        """What is read is the row as it is stored, and not what the statement gave it."""
        here = f"FROM {self.wide} t WHERE t.{self.pk} = NEW.{self.pk}"
        yield (
            f"INSERT INTO {self.narrow} ({self.key}, {', '.join(self.columns)}) SELECT t.{self.pk}, {self._of('t')} "
            f"{here} AND {self._unpaired}"
        )
        yield (
            f"UPDATE {self.narrow} SET ({', '.join(self.columns)}) = (SELECT {self._of('t')} {here}) "
            f"WHERE {self.key} = NEW.{self.pk} AND NOT {self._both(f'NEW.{self.pk}')}"
        )
        yield self._raise(self._ignored, f"NOT {self._both(f'NEW.{self.pk}')}")

    def _replaced(self) -> Iterator[tuple[str, str]]:
        """Wide rows that give way to another one (REPLACE) fire no trigger: who may, is noted before, and looked at."""
        for verb, but in (
            (("INSERT", ""), ("UPDATE", f" AND {self.pk} IS NOT OLD.{self.pk}")) if self.giving_way else ()
        ):
            notes = (
                f"INSERT OR IGNORE INTO {self.met} SELECT {self.pk} FROM {self.wide} WHERE {condition}{but}"
                for condition in self.giving_way
            )
            yield self._trigger(f"meet_{verb.lower()}", f"BEFORE {verb} ON {self.wide}", *notes)
            yield self._trigger(
                f"met_{verb.lower()}",
                f"AFTER {verb} ON {self.wide} WHEN EXISTS (SELECT 1 FROM {self.met})",
                f"DELETE FROM {self.narrow} WHERE {self.key} IN (SELECT key FROM {self.met}) "
                f"AND NOT EXISTS (SELECT 1 FROM {self.wide} t WHERE t.{self.pk} = {self.narrow}.{self.key})",
                f"DELETE FROM {self.met}",
            )

    def _both(self, key: str) -> str:
        """A condition: the wide row and the narrow row of the key are there, and the same."""
        return (
            f"EXISTS (SELECT 1 FROM {self.wide} b JOIN {self.narrow} s ON s.{self.key} = b.{self.pk} "
            f"WHERE b.{self.pk} = {key} AND {self._same('b', 's')})"
        )

    def _same(self, one: str, other: str) -> str:
        return " AND ".join(
            f"{one}.{name} IS {other}.{name} COLLATE BINARY AND typeof({one}.{name}) = typeof({other}.{name})"
            for name in self.columns
        )

    def _of(self, row: str) -> str:
        return ", ".join(f"{row}.{name}" for name in self.columns)

    def _trigger(self, part: str, head: str, *body: str) -> tuple[str, str]:
        name = self.of.name(part)
        return name, f"CREATE TRIGGER {name} {head} BEGIN {'; '.join(body)}; END"

    def _raise(self, said: str, condition: str) -> str:
        return f"SELECT RAISE(ABORT, {literal(f'SF005: {said}')}) WHERE {condition}"
