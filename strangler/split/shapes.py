"""Two shapes of the same columns in one database: in a wide table, and in a narrow one that takes them over.

    expanded     triggers keep both equal, in the transaction of whoever writes either
    contracted   the narrow one counts; whoever changes the old columns is refused

docs/operations.md (SplitTable, ContractTable) says what each write means; each engine has its own statements.
"""

from __future__ import annotations

import abc
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from strangler.split.errors import Refused, SplitError
from strangler.split.table import Key, KeyRange, Table

AT_ONCE = 1_000
"""Keys in one transaction: whoever writes to the same rows waits for it."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """What must be known of a column that is split."""

    type: str
    required: bool
    generated: bool
    default: str | None
    """What the database gives it by itself, in its own SQL; None: nothing but NULL."""
    computed: bool = False
    """Whether that default is not the same each time, as far as this matters on the engine."""


class Shapes(abc.ABC):
    """Both tables as one database has them, over one connection.

    Lists of statements are to be run in order, by Store.run within one transaction; after a failure the list is asked
    for again. They lock both tables where the engine knows such locks, the wide one before the narrow one.
    """

    wide: Table
    narrow: Table
    columns: tuple[str, ...]

    @abc.abstractmethod
    def expanded(self) -> bool:
        """Whether all is there that keeps both equal. Read-only."""

    def begun(self) -> bool:
        """Whether some of it is there, by a run that did not come to its end. Read-only."""
        return self.expanded()

    @abc.abstractmethod
    def contracted(self) -> bool:
        """Whether the narrow table counts: the old columns are guarded, if only in part. Read-only."""

    @abc.abstractmethod
    def expand(self) -> Iterator[str]:
        """Statements: keep both equal from now on."""

    @abc.abstractmethod
    def part(self) -> Iterator[str]:
        """Statements: keep them equal no longer, and empty the narrow one. Safe to run again."""

    @abc.abstractmethod
    def contract(self) -> Iterator[str]:
        """Statements: keep them equal no longer, and let nobody change the old columns. Safe to run again."""

    @abc.abstractmethod
    def expand_guarded(self) -> Iterator[str]:
        """Statements: keep both equal from now on, and let nobody but that change the old columns."""

    @abc.abstractmethod
    def unguard(self) -> Iterator[str]:
        """Statements: let everybody change the old columns again. Safe to run again."""

    @abc.abstractmethod
    def backfill(self) -> None:
        """Give every wide row its narrow one, once both are kept equal. Safe to run again, and under writers."""

    @abc.abstractmethod
    def fill_back(self) -> None:
        """Bring the old columns up to the narrow table, once both are kept equal, and guarded. Safe under writers.

        A wide row without a narrow one gets the columns' defaults, and a narrow row with these.
        """

    @abc.abstractmethod
    def differences(self) -> int:
        """The number of rows that are not the same in both, or are in one only. Read-only."""

    def check_equal(self) -> None:
        """Raises Refused where a row is not the same in both."""
        if count := self.differences():
            raise Refused(
                f'{count:,} rows of "{self.wide.name}" and "{self.narrow.name}" differ; run the plan again or go back'
            )

    def split_refusals(self) -> Iterator[str]:
        """Why the tables cannot be kept equal, a sentence each. Read-only."""
        yield from self.unfit()
        wide, narrow = self.described(self.wide), self.described(self.narrow)
        pairs = [(self.wide.key[0].name, self.narrow.key[0].name), *((name, name) for name in self.columns)]
        for name, other in pairs:
            one, two = wide[name], narrow[other]
            if one.type != two.type:
                yield (
                    f'"{name}" of table "{self.wide.name}" is {one.type}, and "{other}" of table "{self.narrow.name}" '
                    f"is {two.type}; migrate one of them"
                )
            if two.required and not one.required:
                yield (
                    f'"{name}" of table "{self.wide.name}" may be NULL, and "{other}" of table "{self.narrow.name}" '
                    "may not; migrate one of them"
                )
            if (one.generated or two.generated) and name in self.columns:
                yield f'"{name}" is computed by the database and never written; leave it out of the split'
        if not self.begun() and self.filled():
            yield f'table "{self.narrow.name}" is not empty; look whose rows these are, and empty it'

    def contract_refusals(self) -> Iterator[str]:
        """Why the old columns cannot be left alone, a sentence each. Read-only."""
        yield from self.lacking_defaults()
        if not self.contracted():
            if not self.expanded():
                yield f'the triggers on "{self.wide.name}" and "{self.narrow.name}" are not all there; split them again'
            elif count := self.differences():
                yield (
                    f'{count:,} rows of "{self.wide.name}" and "{self.narrow.name}" differ; find out who wrote past '
                    "the triggers, and correct them"
                )

    def part_refusals(self) -> Iterator[str]:
        """Why the old columns cannot come back, a sentence each. Read-only."""
        if count := self.lonely():
            yield (
                f'{count:,} rows of "{self.narrow.name}" belong to no row of "{self.wide.name}", which has no place '
                "for them; see what they are, and delete them"
            )

    def lacking_defaults(self) -> Iterator[str]:
        """Old columns that could not be left out of a row, a sentence each. Read-only."""
        columns = self.described(self.wide)
        for name in self.columns:
            if columns[name].required and columns[name].default is None:
                yield (
                    f'"{name}" of table "{self.wide.name}" may not be NULL and has no default in the database, so that '
                    "no row could be written without it; give it db_default, or null=True"
                )
            if columns[name].computed:
                yield (
                    f'the default of "{name}" of table "{self.wide.name}" is computed ({columns[name].default}), so '
                    "that nobody can tell it from a value; give it one that is always the same, or null=True"
                )

    def ranges(self) -> Iterator[KeyRange]:
        """The wide table's keys, in ranges of AT_ONCE. Read-only."""
        after = None
        while True:
            upto = self.range_end(KeyRange(after=after), AT_ONCE)
            yield KeyRange(after=after, upto=upto)
            if upto is None:
                return
            after = upto

    def check_columns(self) -> None:
        """Raises SplitError where one of the tables lacks a column. Read-only."""
        for table in (self.wide, self.narrow):
            if missing := [name for name in self.columns if name not in self.described(table)]:
                raise SplitError(
                    f'table "{table.name}" has no column "{missing[0]}"; migrate first, or correct the plan'
                )

    @abc.abstractmethod
    def range_end(self, keys: KeyRange, size: int) -> Key | None:
        """See Rows.range_end, of the wide table."""

    @abc.abstractmethod
    def unfit(self) -> Iterator[str]:
        """What of the engine keeps these tables from being kept equal, a sentence each. Read-only."""

    @abc.abstractmethod
    def described(self, table: Table) -> dict[str, Column]:
        """The columns of one of the tables. Read-only."""

    @abc.abstractmethod
    def filled(self) -> bool:
        """Whether the narrow table has a row. Read-only."""

    @abc.abstractmethod
    def lonely(self) -> int:
        """The number of narrow rows that have no wide one. Read-only."""

    @property
    def gone(self) -> str:
        """What to say to whoever changes an old column."""
        return f"{', '.join(self.columns)} of table {self.wide.name} live in table {self.narrow.name} now"

    @property
    def alone(self) -> str:
        """What to say to whoever makes a row of one shape alone."""
        return f"a row of table {self.narrow.name} comes and goes with its row of table {self.wide.name}"

    def name(self, part: str) -> str:
        """Of a trigger, function or table of ours. Its beginning is the split's."""
        # Engines cut names, or refuse long ones.
        digest = hashlib.sha256(f"{self.wide.relation}/{self.narrow.relation}".encode()).hexdigest()[:12]
        return f"strangler_split_{digest}_{part}"
