"""The triggers of MySQL that keep two shapes equal, or guard the old one; `shape_rows.py` has the rows.

A trigger must not change a table that the statement behind it uses, not even to what is there. So each looks first
whether the other table is as it should be, which ends the echo: a plain read sees what its own transaction has done,
and where that says that nothing is to do, a locking one makes sure that it is not out of date. Within triggers tables
bear their own names: while triggers come and go, MariaDB looks for tables of any other.

Nothing can be checked at the end of a transaction, and whoever deletes both rows begins with the narrow one. So a
narrow row that goes alone leaves the columns' defaults in the wide one, and one that is missing stands for these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from strangler.split.mysql import wording
from strangler.split.mysql.wording import identifier, literal
from strangler.split.shapes import Shapes
from strangler.split.table import Column, Family

_LOCKED = "LOCK IN SHARE MODE"


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """A trigger of ours."""

    name: str
    event: str
    relation: str
    body: str

    def create(self) -> str:
        return f"CREATE TRIGGER {self.name} {self.event} ON {self.relation} FOR EACH ROW {self.body}"

    def drop(self) -> str:
        return f"DROP TRIGGER IF EXISTS {self.name}"


class TwoShapes:
    """What one split needs; "defaults" are what the wide table gives the columns, in SQL."""

    def __init__(self, of: Shapes, defaults: Mapping[str, str]) -> None:
        self.of, self.defaults = of, defaults
        self.wide, self.narrow = of.wide.relation, of.narrow.relation
        self.pk, self.key = identifier(of.wide.key[0].name), identifier(of.narrow.key[0].name)
        self.names = ", ".join(map(identifier, of.columns))
        self.leaving = of.name("leaving")
        self._columns = [column for column in of.wide.columns if column.name in of.columns]

    def keys_that_leave(self) -> str:
        """What makes the table of keys whose wide row is being deleted: empty but within that statement."""
        key = self.of.wide.key[0]
        kind, _, collation = key.type.rpartition(" ") if wording.is_text(key) else (key.type, "", "")
        return (
            f"CREATE TABLE IF NOT EXISTS {self.leaving} (`key` {kind}{collation and f' COLLATE {collation}'} "
            "NOT NULL PRIMARY KEY) ENGINE = InnoDB"
        )

    def equals(self) -> Iterator[Trigger]:
        """The triggers that keep both equal, in the order in which they may come while only one shape is written.

        A narrow row is not made before what follows its wide one's changes.
        """
        yield self._trigger("delete", "BEFORE DELETE", self.wide, self._deleted())
        yield self._trigger("update", "AFTER UPDATE", self.wide, self._updated())
        yield self._trigger("leave", "AFTER DELETE", self.narrow, self._left())
        yield self._trigger("rewrite", "AFTER UPDATE", self.narrow, self._rekeyed() + self._into_wide())
        yield self._trigger("write", "AFTER INSERT", self.narrow, self._into_wide())
        yield self._trigger("insert", "AFTER INSERT", self.wide, self._into_narrow())

    def guards(self) -> Iterator[Trigger]:
        """The triggers that refuse whoever changes the old columns, or gives them a value.

        What makes them as the narrow row has them passes: that is how they are filled again.
        """
        refuse = self._refuse(self.of.gone)
        yield self._trigger(
            "keep",
            "BEFORE UPDATE",
            self.wide,
            f"IF NOT ({self.same('OLD', 'NEW')}) THEN {self._found_narrow(_LOCKED)}"
            f"IF NOT IFNULL(strangler_same, {self.defaulted('NEW')}) THEN {refuse}END IF; END IF; ",
        )
        yield self._trigger(
            "given", "BEFORE INSERT", self.wide, f"IF NOT ({self.defaulted('NEW')}) THEN {refuse}END IF; "
        )

    def backfill(self, within: str) -> str:
        """Give the wide rows that meet a condition their narrow ones; they are held, so that they do not go."""
        return (
            f"INSERT INTO {self.narrow} ({self.key}, {self.names}) SELECT t.{self.pk}, {self._of('t')} "
            f"FROM {self.wide} t WHERE {within} AND {self._unpaired} {_LOCKED} "
            f"ON DUPLICATE KEY UPDATE {self.narrow}.{self.key} = {self.narrow}.{self.key}"
        )

    def fill_back(self, within: str, within_narrow: str) -> Iterator[str]:
        """Bring the old columns of these rows up to the narrow table.

        Narrow rows are locked before wide ones, as whoever writes the new shape does.
        """
        yield f"SELECT n.{self.key} FROM {self.narrow} n WHERE {within_narrow} {_LOCKED}"
        yield (
            f"UPDATE {self.wide} t SET {self._defaulting('t')} WHERE {within} AND {self._unpaired} "
            f"AND NOT ({self.defaulted('t')})"
        )
        own = f"FROM {self.narrow} n WHERE n.{self.key} = t.{self.pk}"
        for_each = ", ".join(f"t.{identifier(name)} = (SELECT n.{identifier(name)} {own})" for name in self.of.columns)
        yield (
            f"UPDATE {self.wide} t SET {for_each} WHERE {within} "
            f"AND EXISTS (SELECT 1 {own} AND NOT ({self.same('n', 't')}))"
        )
        yield self.backfill(within)

    def differing(self) -> str:
        """The number of wide rows that the narrow one says something else of."""
        return (
            f"SELECT COUNT(*) FROM {self.wide} t LEFT JOIN {self.narrow} n ON n.{self.key} = t.{self.pk} "
            f"WHERE NOT IF(n.{self.key} IS NULL, {self.defaulted('t')}, {self.same('n', 't')})"
        )

    def lonely(self) -> str:
        """The number of narrow rows without a wide one."""
        return (
            f"SELECT COUNT(*) FROM {self.narrow} n WHERE NOT EXISTS "
            f"(SELECT 1 FROM {self.wide} t WHERE t.{self.pk} = n.{self.key})"
        )

    def same(self, one: str, other: str) -> str:
        """A condition: both rows have the same in these columns, to the last byte."""
        return " AND ".join(f"{_image(one, column)} <=> {_image(other, column)}" for column in self._columns)

    def defaulted(self, row: str) -> str:
        """A condition: the row has in these columns what the wide table gives by itself."""
        return " AND ".join(
            f"{_image(row, column)} <=> {_bytes(self.defaults[column.name], column)}" for column in self._columns
        )

    @property
    def _unpaired(self) -> str:
        return f"NOT EXISTS (SELECT 1 FROM {self.narrow} n WHERE n.{self.key} = t.{self.pk})"

    def _updated(self) -> str:
        moved = f"NOT (OLD.{self.pk} <=> NEW.{self.pk})"
        # What leads to it from the narrow table has left a row there that is the same, or none and the defaults here.
        nothing_to_do = f"IFNULL(strangler_same, {self.defaulted('NEW')})"
        return (
            f"IF {moved} THEN UPDATE {self.narrow} SET {self.key} = NEW.{self.pk} WHERE {self.key} = OLD.{self.pk}; "
            f"INSERT INTO {self.narrow} ({self.key}, {self.names}) VALUES (NEW.{self.pk}, {self._of('NEW')}) "
            f"ON DUPLICATE KEY UPDATE {self.key} = {self.key}; END IF; "
            f"IF NOT ({self.same('OLD', 'NEW')}) THEN {self._found_narrow()}"
            f"IF {nothing_to_do} THEN SET strangler_same = NULL; {self._found_narrow(_LOCKED)}END IF; "
            f"IF NOT {nothing_to_do} THEN {self._into_narrow()}END IF; END IF; "
        )

    def _into_narrow(self) -> str:
        given = ", ".join(f"{identifier(name)} = NEW.{identifier(name)}" for name in self.of.columns)
        return (
            f"INSERT INTO {self.narrow} ({self.key}, {self.names}) VALUES (NEW.{self.pk}, {self._of('NEW')}) "
            f"ON DUPLICATE KEY UPDATE {given}; SET strangler_same = NULL; {self._found_narrow()}"
            f"IF NOT IFNULL(strangler_same, FALSE) THEN {self._refuse(self._ignored)}END IF; "
        )

    def _deleted(self) -> str:
        # Before: InnoDB looks at once whether a narrow row still points at it.
        return (
            f"INSERT INTO {self.leaving} (`key`) VALUES (OLD.{self.pk}); "
            f"DELETE FROM {self.narrow} WHERE {self.key} = OLD.{self.pk}; "
            f"DELETE FROM {self.leaving} WHERE `key` = OLD.{self.pk}; "
        )

    def _left(self) -> str:
        return (
            f"SELECT COUNT(*) INTO strangler_same FROM {self.leaving} WHERE `key` = OLD.{self.key}; "
            f"IF NOT strangler_same THEN UPDATE {self.wide} SET {self._defaulting(self.wide)} "
            f"WHERE {self.pk} = OLD.{self.key}; END IF; "
        )

    def _rekeyed(self) -> str:
        return (
            f"IF NOT (OLD.{self.key} <=> NEW.{self.key}) THEN SELECT COUNT(*) INTO strangler_same FROM {self.wide} "
            f"WHERE {self.pk} = OLD.{self.key} {_LOCKED}; "
            f"IF strangler_same THEN {self._refuse(self.of.alone)}END IF; SET strangler_same = NULL; END IF; "
        )

    def _into_wide(self) -> str:
        given = ", ".join(f"{identifier(name)} = NEW.{identifier(name)}" for name in self.of.columns)
        found = (
            f"SELECT {self.same(self.wide, 'NEW')} INTO strangler_same FROM {self.wide} "
            f"WHERE {self.pk} = NEW.{self.key} {_LOCKED}; "
        )
        return (
            f"{found}IF strangler_same IS NULL THEN {self._refuse(self.of.alone)}END IF; "
            f"IF NOT strangler_same THEN UPDATE {self.wide} SET {given} WHERE {self.pk} = NEW.{self.key}; "
            f"{found}IF NOT strangler_same THEN {self._refuse(self._ignored)}END IF; END IF; "
        )

    def _found_narrow(self, how: str = "") -> str:
        return (
            f"SELECT {self.same(self.narrow, 'NEW')} INTO strangler_same FROM {self.narrow} "
            f"WHERE {self.key} = NEW.{self.pk} {how}; "
        )

    @property
    def _ignored(self) -> str:
        # Where the application's statement says IGNORE, a trigger's may fail and be passed over.
        wide, narrow = self.of.wide.name, self.of.narrow.name
        return f"what tables {wide} and {narrow} share is the same in both, or not written"

    def _refuse(self, said: str) -> str:
        return f"SIGNAL SQLSTATE 'SF005' SET MESSAGE_TEXT = {literal(said[:128])}; "

    def _of(self, row: str) -> str:
        return ", ".join(f"{row}.{identifier(name)}" for name in self.of.columns)

    def _defaulting(self, row: str) -> str:
        return ", ".join(f"{row}.{identifier(name)} = {default}" for name, default in self.defaults.items())

    def _trigger(self, part: str, event: str, relation: str, body: str) -> Trigger:
        return Trigger(
            name=self.of.name(part),
            event=event,
            relation=relation,
            body=f"BEGIN DECLARE strangler_same BIGINT DEFAULT NULL; {body}END",
        )


def _image(row: str, column: Column) -> str:
    return _bytes(f"{row}.{identifier(column.name)}", column)


def _bytes(value: str, column: Column) -> str:
    """A collation would take "a" and "A" for one."""
    if wording.is_text(column):
        return f"CAST(CONVERT({value} USING utf8mb4) AS BINARY)"
    return f"CAST({value} AS CHAR)" if column.family is Family.JSON else value
