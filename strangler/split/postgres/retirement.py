"""The end of a moved table at the source, in three steps apart: tombstone, archive, drop.

`strangler.retirements`, in the source, says when each step was taken, by that database's clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
from psycopg import sql

from strangler.split.errors import Refused
from strangler.split.postgres.archive import Archive, content_sha256, delete_archive, write_archive
from strangler.split.postgres.catalog import Connection, describe, scalar
from strangler.split.postgres.condition import only, straddling
from strangler.split.postgres.rows import delete, range_end
from strangler.split.table import KeyRange

_ROWS_AT_ONCE = 10_000
"""Rows that are deleted in one transaction, about: others write to the table meanwhile."""
TABLE = """
CREATE SCHEMA IF NOT EXISTS strangler;
CREATE TABLE IF NOT EXISTS strangler.retirements (
    move text NOT NULL,
    name text NOT NULL,  -- as the plan has it
    relation text NOT NULL,  -- quoted and qualified
    tombstoned_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    archived_at timestamptz,
    rows bigint,
    data_sha256 text,
    shape_sha256 text,
    dropped_at timestamptz,
    PRIMARY KEY (move, name)
);
-- When rows that are deleted a few at a time were found to be what their archive holds.
ALTER TABLE strangler.retirements ADD COLUMN IF NOT EXISTS compared_at timestamptz;
"""


@dataclass(frozen=True, kw_only=True)
class Retirement:
    """The retired tables of one move, over an administrator's connection to the source."""

    connection: Connection
    move: str
    names: tuple[str, ...]
    where: Mapping[str, str] = field(default_factory=dict)
    """Of tables of which only some rows have moved: which."""

    def note_tombstones(self) -> None:
        """Note that the move is complete and its tables are fenced for good; the first time counts."""
        with self.connection.transaction():
            self.connection.execute("SELECT pg_advisory_xact_lock(hashtext('strangler'), 0)")
            self.connection.execute(TABLE)
            for name in self.names:
                self.connection.execute(
                    """INSERT INTO strangler.retirements (move, name, relation) VALUES (%s, %s, %s)
                       ON CONFLICT (move, name) DO NOTHING""",
                    (self.move, name, describe(self.connection, name).relation),
                )

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
        archive = write_archive(self.connection, name, directory, self.where.get(name))
        self.connection.execute(
            """UPDATE strangler.retirements
               SET archived_at = clock_timestamp(), compared_at = NULL, rows = %s, data_sha256 = %s, shape_sha256 = %s
               WHERE move = %s AND name = %s""",
            (archive.rows, archive.data_sha256, archive.shape_sha256, self.move, name),
        )
        return archive

    def forget_archive(self, name: str, directory: Path) -> None:
        """Undo `archive`: the note of it goes, then the files. Safe to run again."""
        if self._step(name, "dropped_at") is not None:
            raise Refused(f'table "{name}" is dropped; its archive is all that is left of it, and stays')
        self._forget(name)
        delete_archive(describe(self.connection, name).relation, directory)

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
            tables = [only(self.connection, describe(self.connection, name), self.where[name]) for name in self.names]
            yield from straddling(self.connection, tables, None)

    def drop(self, directory: Path, after: timedelta) -> tuple[Archive, ...]:
        """Drop the tables with their fences and captures, in one transaction; the archives of those dropped.

        Where only some rows have moved just these are deleted, a few at a time; the tables stay, behind their fences.
        Raises Refused, with nothing changed, where it is too early, an archive is not what it was, or a table is not
        what its archive holds. The claims stay: they say that the move exists, which the routes go by, and they keep
        the names. Safe to run again.
        """
        if refusal := next(self.drop_refusals(directory, after), None):
            raise Refused(refusal)
        with self.connection.transaction():
            # The order of all: the ownership row, then the tables.
            owns = scalar(
                self.connection, "SELECT owns FROM strangler.ownership WHERE move = %s FOR UPDATE", (self.move,)
            )
            if owns is not False:
                raise Refused(f'the source may own move "{self.move}"; switch and complete it before its tables go')
            archives = {name: self._archive(name, directory) for name in self._standing()}
            found = {name: archive for name, archive in archives.items() if archive is not None}
            if found and not self.where:
                self._drop(found)
        for name in found if self.where else ():
            self._delete(name, found[name])
        return tuple(found.values())

    def _delete(self, name: str, archive: Archive) -> None:
        """The rows go in ranges of their key; what was begun is finished, though the archive holds more by then."""
        if self._step(name, "compared_at") is None:
            self._refuse_other_content(name, archive)
            self._note(name, "compared_at")
        table, after = only(self.connection, describe(self.connection, name), self.where[name]), None
        while True:
            upto = range_end(self.connection, table, KeyRange(after=after), _ROWS_AT_ONCE)
            with self.connection.transaction():
                # As the applier, who passes the fence, and whose changes are not captured.
                self.connection.execute("SET LOCAL session_replication_role = replica")
                self.connection.execute("SET LOCAL ROLE strangler_applier")
                delete(self.connection, table, KeyRange(after=after, upto=upto))
            if upto is None:
                break
            after = upto
        self._note(name, "dropped_at")

    def _refuse_other_content(self, name: str, archive: Archive) -> None:
        if content_sha256(self.connection, name, self.where.get(name)) != archive.data_sha256:
            raise Refused(f'table "{name}" is not what its archive holds any more; archive it again')

    def _note(self, name: str, step: str) -> None:
        query = sql.SQL("UPDATE strangler.retirements SET {} = clock_timestamp() WHERE move = %s AND name = %s")
        self.connection.execute(query.format(sql.Identifier(step)), (self.move, name))

    def _drop(self, archives: dict[str, Archive]) -> None:
        tables = sql.SQL(", ").join(sql.SQL(archive.relation) for archive in archives.values())
        self.connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(tables))
        for name, archive in archives.items():
            self._refuse_other_content(name, archive)
        captures = [name for archive in archives.values() for name in _captures(self.connection, archive.relation)]
        try:
            self.connection.execute(sql.SQL("DROP TABLE {}").format(tables))
        except psycopg.errors.DependentObjectsStillExist as error:
            what = (error.diag.message_detail or str(error)).partition("\n")[0]
            raise Refused(f"the tables cannot be dropped: {what}; take that away first") from error
        for capture in captures:
            self.connection.execute(sql.SQL("DROP FUNCTION {}").format(sql.SQL(capture)))
        for name in archives:
            self.connection.execute("DELETE FROM strangler.changes WHERE move = %s AND name = %s", (self.move, name))
            self._note(name, "dropped_at")

    def _standing(self) -> list[str]:
        return [name for name in self.names if self._step(name, "dropped_at") is None]

    def _too_early(self, name: str, since: datetime | None, operation: str, after: timedelta) -> Iterator[str]:
        if since is None:
            yield f'table "{name}" is not on record as done by {operation}; run that one before'
        elif scalar(self.connection, "SELECT clock_timestamp()") < since + after:
            yield f'table "{name}" waits until {since + after:%Y-%m-%d %H:%M:%S %Z}, {after} after {operation}'

    def _step(self, name: str, step: str) -> datetime | None:
        if scalar(self.connection, "SELECT to_regclass('strangler.retirements')") is None:
            return None
        query = sql.SQL("SELECT {} FROM strangler.retirements WHERE move = %s AND name = %s")
        at: datetime | None = scalar(self.connection, query.format(sql.Identifier(step)), (self.move, name))
        return at

    def _archive(self, name: str, directory: Path) -> Archive | None:
        if self._step(name, "archived_at") is None:
            return None
        row = self.connection.execute(
            "SELECT relation, rows, data_sha256, shape_sha256 FROM strangler.retirements WHERE move = %s AND name = %s",
            (self.move, name),
        ).fetchone()
        relation, rows, data, shape = row or ("", 0, "", "")
        return Archive(relation=relation, directory=directory, rows=rows, data_sha256=data, shape_sha256=shape)

    def _forget(self, name: str) -> None:
        self.connection.execute(
            """UPDATE strangler.retirements
               SET archived_at = NULL, rows = NULL, data_sha256 = NULL, shape_sha256 = NULL
               WHERE move = %s AND name = %s AND dropped_at IS NULL""",
            (self.move, name),
        )


def _captures(connection: Connection, relation: str) -> list[str]:
    """The functions of ours that only this table's triggers call; the fence's is everybody's."""
    rows = connection.execute(
        """SELECT DISTINCT t.tgfoid::regprocedure::text FROM pg_trigger t
           JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
           WHERE t.tgrelid = %s::regclass AND NOT t.tgisinternal
             AND n.nspname = 'strangler' AND p.proname <> 'refuse'
             AND NOT EXISTS (SELECT FROM pg_trigger o WHERE o.tgfoid = t.tgfoid
                             AND coalesce(pg_partition_root(o.tgrelid), o.tgrelid) <> t.tgrelid)""",
        (relation,),
    )
    return [str(function) for (function,) in rows]
