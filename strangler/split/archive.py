"""A table's rows and shape in three files, which anybody can read without us.

    public.review.csv       every row in the order of the key, with a header, in UTF-8, times in UTC
    public.review.sql       the table: what makes it, how it is filled, and behind a line, what is run afterwards
    public.review.sha256    the checksums of both, for `sha256sum -c`

What is not kept: triggers, grants, and what else an engine's archive.py says.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from strangler.split.errors import SplitError
from strangler.split.store import Store
from strangler.split.table import Table

_CHUNK = 1 << 20
_ONCE_FILLED = "-- once the rows are in:"
_SUFFIXES = (".csv", ".sql", ".sha256")


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
        data, script, _ = _paths(self.relation, self.directory)
        return {data: self.data_sha256, script: self.shape_sha256}

    def refusals(self) -> Iterator[str]:
        """Why the files are not what they were, a sentence each. This is a read-only operation."""
        for path, expected in self.files.items():
            if not path.is_file():
                yield f'the archive "{path}" is gone; bring it back, or archive the table again'
            elif sha256(_read(path)) != expected:
                yield f'the archive "{path}" has another checksum than when it was written; archive the table again'

    def __str__(self) -> str:
        return f"{self.relation}: {self.rows} rows, SHA-256 {self.data_sha256}"


def write_archive(store: Store, table: Table, directory: Path) -> Archive:
    """Write the files of the table's rows that are meant; restore them to see that they are whole.

    Files of the same names are replaced, each by one rename, so that a torn one never bears the name of a whole one.
    Raises SplitError where a file cannot be written, or does not give the same rows back.
    """
    data, script, sums = _paths(table.relation, directory)
    making, filled = store.script(table, data.name)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _write(script, ["\n".join([*making, _ONCE_FILLED, *filled, ""]).encode()])
        _write(data, store.csv(table))
        written = script.read_text(encoding="utf-8").partition(_ONCE_FILLED)
        rows, digest = store.given_back(table, written[0], written[2], _read(data))
        archive = Archive(
            relation=table.relation,
            directory=directory,
            rows=rows,
            data_sha256=sha256(_read(data)),
            shape_sha256=sha256(_read(script)),
        )
        if digest != archive.data_sha256 or digest != sha256(store.csv(table)):
            raise SplitError(f'the archive "{data}" does not give back the rows of "{table}"; run the plan again')
        _write(sums, [f"{digest}  {path.name}\n".encode() for path, digest in archive.files.items()])
    except ValueError as error:
        raise SplitError(f'the archive "{data}" cannot be read back: {error}; run the plan again') from error
    except OSError as error:
        raise SplitError(f'the archive of "{table}" cannot be written to "{directory}": {error.strerror}') from error
    return archive


def delete_archive(relation: str, directory: Path) -> None:
    """Remove a table's files, whole or torn. Does nothing where there are none."""
    for path in _paths(relation, directory):
        for name in (path, _part(path)):
            name.unlink(missing_ok=True)


def sha256(chunks: Iterable[bytes]) -> str:
    """The checksum of a file, or of what would be in it."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def _paths(relation: str, directory: Path) -> tuple[Path, Path, Path]:
    # Not with_suffix: a relation may have a dot of its own. Quotes, and what would lead elsewhere, are no part of it.
    stem = re.sub(r'["`/]', "", relation)
    data, script, sums = (directory / (stem + suffix) for suffix in _SUFFIXES)
    return data, script, sums


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


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")
