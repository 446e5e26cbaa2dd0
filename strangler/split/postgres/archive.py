"""A table's rows and shape in three files, which anybody can read without us.

    public.review.csv       every row in the order of the key, with a header (COPY ... CSV, UTF-8, times in UTC)
    public.review.sql       the table: what makes it, and behind a line, what is run once the rows are in
    public.review.sha256    the checksums of both, for `sha256sum -c`

What is not kept: triggers, grants, comments, policies, statistics, storage parameters.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from strangler.split.errors import SplitError
from strangler.split.postgres import wording
from strangler.split.postgres.catalog import Connection, describe
from strangler.split.postgres.condition import only
from strangler.split.table import Table

_CHUNK = 1 << 20
_COPY_OUT = """
    COPY (SELECT {columns} FROM {table} t WHERE {meant} ORDER BY {key}) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8')
"""
_COPY_IN = "COPY {table} ({columns}) FROM STDIN (FORMAT csv, HEADER, ENCODING 'UTF8')"
_ONCE_FILLED = "-- once the rows are in:"


@dataclass(frozen=True, kw_only=True)
class Archive:
    """One table's files as they were when they were read back."""

    relation: str
    directory: Path
    rows: int
    data_sha256: str
    shape_sha256: str

    @property
    def files(self) -> dict[Path, str]:
        """The files and their checksums."""
        stem = self.directory / self.relation
        return {_with(stem, ".csv"): self.data_sha256, _with(stem, ".sql"): self.shape_sha256}

    def refusals(self) -> Iterator[str]:
        """Why the files are not what they were, a sentence each. This is a read-only operation."""
        for path, expected in self.files.items():
            if not path.is_file():
                yield f'the archive "{path}" is gone; bring it back, or archive the table again'
            elif _sha256(_read(path)) != expected:
                yield f'the archive "{path}" has another checksum than when it was written; archive the table again'

    def __str__(self) -> str:
        return f"{self.relation}: {self.rows} rows, SHA-256 {self.data_sha256}"


def write_archive(connection: Connection, name: str, directory: Path, where: str | None = None) -> Archive:
    """Write the files of the table, or of the rows that meet a condition; restore them to see that they are whole.

    Files of the same names are replaced, each by one rename, so that a torn one never bears the name of a whole one.
    Raises SplitError where a file cannot be written, or does not give the same rows back.
    """
    table = _table(connection, name, where)
    shape = _shape(connection, table)
    stem = directory / table.relation
    data, script, sums = (_with(stem, suffix) for suffix in (".csv", ".sql", ".sha256"))
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _write(script, [shape.encode()])
        _write(data, _rows(connection, table))
        rows, digest = _restore(connection, table, script, data)
        archive = Archive(
            relation=table.relation,
            directory=directory,
            rows=rows,
            data_sha256=_sha256(_read(data)),
            shape_sha256=_sha256(_read(script)),
        )
        if digest != archive.data_sha256 or digest != content_sha256(connection, name, where):
            raise SplitError(f'the archive "{data}" does not give back the rows of "{table}"; run the plan again')
        _write(sums, [f"{digest}  {path.name}\n".encode() for path, digest in archive.files.items()])
    except OSError as error:
        raise SplitError(f'the archive of "{table}" cannot be written to "{directory}": {error.strerror}') from error
    return archive


def delete_archive(relation: str, directory: Path) -> None:
    """Remove a table's files, whole or torn. Does nothing where there are none."""
    for suffix in (".csv", ".sql", ".sha256"):
        path = _with(directory / relation, suffix)
        for name in (path, _part(path)):
            name.unlink(missing_ok=True)


def content_sha256(connection: Connection, name: str, where: str | None = None) -> str:
    """The checksum that the rows would have in an archive now. This is a read-only operation."""
    return _sha256(_rows(connection, _table(connection, name, where)))


def _table(connection: Connection, name: str, where: str | None) -> Table:
    table = describe(connection, name)
    return table if where is None else only(connection, table, where)


def _rows(connection: Connection, table: Table, identifier: sql.Composable | None = None) -> Iterator[bytes]:
    query = sql.SQL(_COPY_OUT).format(
        columns=wording.columns(table),
        table=identifier or wording.relation(table),
        meant=wording.meant(table, "t"),
        key=sql.SQL(", ").join(sql.Identifier(column.name) for column in table.key),
    )
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        yield from map(bytes, copy)


def _restore(connection: Connection, table: Table, script: Path, data: Path) -> tuple[int, str]:
    """Make the table again from its files, as a temporary one; its number of rows and checksum."""
    name = sql.Identifier("pg_temp", _bare_name(connection, table))
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path = pg_temp")
        making = script.read_text(encoding="utf-8").partition(_ONCE_FILLED)[0]
        cursor.execute(wording.raw(making))
        with cursor.copy(sql.SQL(_COPY_IN).format(table=name, columns=wording.columns(table))) as copy:
            for chunk in _read(data):
                copy.write(chunk)
        rows = cursor.rowcount
        return rows, _sha256(_rows(connection, table, name))


def _shape(connection: Connection, table: Table) -> str:
    """The statements that make the table, and those for when it is filled."""
    with connection.transaction():
        # So that the catalog writes every name of another schema in full.
        connection.execute("SET LOCAL search_path = pg_catalog")
        query = sql.SQL(_SHAPE).format(table=sql.Literal(table.relation))
        parts = [str(line) for (line,) in connection.execute(query)]
        filled = [str(line) for (line,) in connection.execute(sql.SQL(_FILLED).format(sql.Literal(table.relation)))]
    name = sql.Identifier(_bare_name(connection, table)).as_string(connection)
    columns = wording.columns(table).as_string(connection)
    made = ",\n    ".join(parts)
    return "\n".join(
        [
            f"CREATE TABLE {name} (\n    {made}\n);",
            f"-- \\copy {name} ({columns}) FROM '{table.relation}.csv' (FORMAT csv, HEADER, ENCODING 'UTF8')",
            _ONCE_FILLED,
            *(f"{line};" for line in filled),
            "",
        ]
    )


_SHAPE = """
    SELECT line FROM (
        SELECT 0 AS part, a.attnum::text AS place, concat_ws(' ',
            quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attcollation <> t.typcollation
                THEN (SELECT format('COLLATE %I.%I', n.nspname, c.collname) FROM pg_collation c
                      JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid = a.attcollation) END,
            CASE WHEN a.attgenerated <> ''
                    THEN format('GENERATED ALWAYS AS (%s) STORED', pg_get_expr(d.adbin, d.adrelid))
                 WHEN a.attidentity = 'a' THEN 'GENERATED ALWAYS AS IDENTITY'
                 -- The sequence of a serial column goes with its table; an identity column brings its own.
                 WHEN a.attidentity = 'd' OR pg_get_serial_sequence({table}, a.attname) IS NOT NULL
                    THEN 'GENERATED BY DEFAULT AS IDENTITY'
                 WHEN d.adbin IS NOT NULL THEN 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END,
            CASE WHEN a.attnotnull THEN 'NOT NULL' END) AS line, a.attnum AS number
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = {table}::regclass AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT 1, conname, format('CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), 0
        FROM pg_constraint WHERE conrelid = {table}::regclass AND contype IN ('p', 'u', 'c', 'x')
    ) lines ORDER BY part, number, place
"""
_FILLED = """
    SELECT line FROM (
        SELECT 0 AS part, pg_get_indexdef(i.indexrelid) AS line FROM pg_index i
        WHERE i.indrelid = {0}::regclass
          AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))
        UNION ALL
        SELECT 1, format('ALTER TABLE %s ADD CONSTRAINT %I %s', {0}::regclass, conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE conrelid = {0}::regclass AND contype = 'f'
        UNION ALL
        SELECT 2, format('SELECT setval(pg_get_serial_sequence(%L, %L), %s)', {0}, a.attname,
            coalesce(pg_sequence_last_value(pg_get_serial_sequence({0}, a.attname)::regclass), 1))
        FROM pg_attribute a WHERE a.attrelid = {0}::regclass AND a.attnum > 0 AND NOT a.attisdropped
          AND pg_get_serial_sequence({0}, a.attname) IS NOT NULL
    ) lines ORDER BY part, line
"""


def _bare_name(connection: Connection, table: Table) -> str:
    row = connection.execute("SELECT relname FROM pg_catalog.pg_class WHERE oid = %s::regclass", (table.relation,))
    return str((row.fetchone() or ("",))[0])


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    """Replace a file by a new one that is durable before it gets the name."""
    part = _part(path)
    with part.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _sha256(chunks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def _with(stem: Path, suffix: str) -> Path:
    # Not with_suffix: a relation has a dot of its own.
    return stem.with_name(stem.name + suffix)


def _part(path: Path) -> Path:
    return _with(path, ".part")
