"""The end of a moved table at the source, in three steps apart: tombstone, archive, drop.

`strangler.retirements`, in the source, says when each step was taken, by that database's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from strangler.split.archive import Archive, delete_archive, sha256, write_archive
from strangler.split.errors import Refused
from strangler.split.store import Store
from strangler.split.table import KeyRange, Table

_ROWS_AT_ONCE = 10_000
"""Rows that are deleted in one transaction, about: others write to the table meanwhile."""


@dataclass(frozen=True, kw_only=True)
class Retirement:
    """The retired tables of one move, over an administrator's connection to the source."""

    store: Store
    applier: Callable[[], AbstractContextManager[Store]]
    """Another connection, which passes the fences."""
    move: str
    names: tuple[str, ...]
    where: Mapping[str, str] = field(default_factory=dict)
    """Of tables of which only some rows have moved: which."""

    def archive_refusals(self, after: timedelta) -> Iterator[str]:
        """Why the tables cannot be archived now, a sentence each. This is a read-only operation."""
        for name in self.names:
            yield from self._too_early(name, self._step(name, "tombstoned_at"), "RetireTables", after)

    def archive(self, name: str, directory: Path) -> Archive:
        """One table's archive, as it was written before if that is still whole, else written now.

        It counts from the moment when it was read back. A torn or changed file is written again.
        """
        known = self._archive(name, directory)
        if known is not None and not list(known.refusals()):
            return known
        self._forget(name)
        archive = write_archive(self.store, self._table(name), directory)
        self.store.execute(
            "UPDATE strangler.retirements SET archived_at = %s, compared_at = NULL, rows = %s, "
            "data_sha256 = %s, shape_sha256 = %s WHERE move = %s AND name = %s",
            (self.store.now(), archive.rows, archive.data_sha256, archive.shape_sha256, self.move, name),
        )
        return archive

    def forget_archive(self, name: str, directory: Path) -> None:
        """Undo `archive`: the note of it goes, then the files. Safe to run again."""
        if self._step(name, "dropped_at") is not None:
            raise Refused(f'table "{name}" is dropped; its archive is all that is left of it, and stays')
        self._forget(name)
        delete_archive(self._table(name).relation, directory)

    def drop_refusals(self, directory: Path, after: timedelta) -> Iterator[str]:
        """Why the tables cannot be dropped now, a sentence each. This is a read-only operation."""
        for name in self._standing():
            early = list(self._too_early(name, self._step(name, "archived_at"), "ArchiveTables", after))
            yield from early
            archive = self._archive(name, directory)
            if archive is not None and not early:
                yield from archive.refusals()
        if self.where:
            # They are deleted past their foreign keys, which would not say that other rows point at them.
            yield from self.store.straddling([self._table(name) for name in self.names])

    def drop(self, directory: Path, after: timedelta) -> tuple[Archive, ...]:
        """Drop the tables with their fences and captures; the archives of those dropped.

        Where only some rows have moved just these are deleted, a few at a time; the tables stay, behind their fences.
        Raises Refused, with nothing changed, where it is too early, an archive is not what it was, or a table is not
        what its archive holds. The claims stay: they say that the move exists, which the routes go by, and they keep
        the names. Safe to run again.
        """
        if refusal := next(self.drop_refusals(directory, after), None):
            raise Refused(refusal)
        archives = {name: self._archive(name, directory) for name in self._standing()}
        found = {name: archive for name, archive in archives.items() if archive is not None}
        if self.where:
            self._refuse_owner()
            for name, archive in found.items():
                self._delete(name, archive)
        elif found:
            self._drop(found)
        return tuple(found.values())

    def _drop(self, archives: dict[str, Archive]) -> None:
        # What is gone was dropped by a run that died before it noted that.
        there = {name: self._table(name) for name in archives if self.store.exists(name)}
        if there:
            with self.store.dropping(self.move, list(there.values())):
                self._refuse_owner()
                for name, table in there.items():
                    self._refuse_other_content(table, archives[name])
        for name in archives:
            self.store.execute("DELETE FROM strangler.changes WHERE move = %s AND name = %s", (self.move, name))
            self._note(name, "dropped_at")

    def _delete(self, name: str, archive: Archive) -> None:
        """The rows go in ranges of their key; what was begun is finished, though the archive holds more by then."""
        table, after = self._table(name), None
        if self._step(name, "compared_at") is None:
            self._refuse_other_content(table, archive)
            self._note(name, "compared_at")
        with self.applier() as applier:
            while True:
                upto = self.store.range_end(table, KeyRange(after=after), _ROWS_AT_ONCE)
                with applier.transaction():
                    applier.delete(table, KeyRange(after=after, upto=upto))
                if upto is None:
                    break
                after = upto
        self._note(name, "dropped_at")

    def _refuse_owner(self) -> None:
        if self.store.scalar("SELECT owns FROM strangler.ownership WHERE move = %s", (self.move,)) not in (False, 0):
            raise Refused(f'the source may own move "{self.move}"; switch and complete it before its tables go')

    def _refuse_other_content(self, table: Table, archive: Archive) -> None:
        if sha256(self.store.csv(table)) != archive.data_sha256:
            raise Refused(f'table "{table.name}" is not what its archive holds any more; archive it again')

    def _table(self, name: str) -> Table:
        table, where = self.store.describe(name), self.where.get(name)
        return table if where is None else self.store.only(table, where)

    def _note(self, name: str, step: str) -> None:
        self.store.execute(
            f"UPDATE strangler.retirements SET {step} = %s WHERE move = %s AND name = %s",  # noqa: S608 - our own name
            (self.store.now(), self.move, name),
        )

    def _standing(self) -> list[str]:
        return [name for name in self.names if self._step(name, "dropped_at") is None]

    def _too_early(self, name: str, since: float | None, operation: str, after: timedelta) -> Iterator[str]:
        if since is None:
            yield f'table "{name}" is not on record as done by {operation}; run that one before'
        elif self.store.now() < since + after.total_seconds():
            until = datetime.fromtimestamp(since, UTC) + after
            yield f'table "{name}" waits until {until:%Y-%m-%d %H:%M:%S %Z}, {after} after {operation}'

    def _step(self, name: str, step: str) -> float | None:
        if not self.store.has_tables("retirements"):
            return None
        at = self.store.scalar(
            f"SELECT {step} FROM strangler.retirements WHERE move = %s AND name = %s",  # noqa: S608 - our own name
            (self.move, name),
        )
        return None if at is None else float(at)

    def _archive(self, name: str, directory: Path) -> Archive | None:
        if self._step(name, "archived_at") is None:
            return None
        [(relation, rows, data, shape)] = self.store.query(
            "SELECT relation, rows, data_sha256, shape_sha256 FROM strangler.retirements WHERE move = %s AND name = %s",
            (self.move, name),
        )
        return Archive(relation=relation, directory=directory, rows=int(rows), data_sha256=data, shape_sha256=shape)

    def _forget(self, name: str) -> None:
        self.store.execute(
            "UPDATE strangler.retirements SET archived_at = NULL, rows = NULL, data_sha256 = NULL, "
            "shape_sha256 = NULL WHERE move = %s AND name = %s AND dropped_at IS NULL",
            (self.move, name),
        )
