"""What was found before, by the content of what it was found in; in the user's cache folder, not in the project."""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import sqlite3
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

_ROWS = 50_000
"""Entries that are kept, the ones written last."""


class Kept:
    """A file of pickled values. Where it cannot be used, nothing is kept, and everything is found anew."""

    def __init__(self, path: Path | None) -> None:
        self._database: sqlite3.Connection | None = None
        if path is None:
            return
        with contextlib.suppress(sqlite3.Error, OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._database = sqlite3.connect(path, timeout=5)
            self._database.execute("CREATE TABLE IF NOT EXISTS kept (key BLOB PRIMARY KEY, value BLOB NOT NULL)")

    def get(self, keys: Iterable[bytes]) -> Iterator[tuple[bytes, Any]]:
        """Those that are there."""
        if self._database is None:
            return
        for key in keys:
            with contextlib.suppress(sqlite3.Error, pickle.UnpicklingError, EOFError, AttributeError, TypeError):
                found = self._database.execute("SELECT value FROM kept WHERE key = ?", (key,)).fetchone()
                if found is not None:
                    yield key, unpacked(found[0])

    def put(self, values: Iterable[tuple[bytes, Any]]) -> None:
        """Keep these as well."""
        if self._database is not None:
            self.put_packed((key, packed(value)) for key, value in values)

    def put_packed(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep these, which are packed already."""
        if self._database is None:
            return
        with contextlib.suppress(sqlite3.Error, RecursionError), self._database:
            self._database.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", rows)
            self._database.execute("DELETE FROM kept WHERE rowid <= (SELECT max(rowid) FROM kept) - ?", (_ROWS,))


def packed(value: Any) -> bytes:
    """A value as it is kept."""
    return pickle.dumps(value, 5)


def unpacked(value: bytes) -> Any:
    """A value that was kept, or comes from another process of this run."""
    return pickle.loads(value)  # noqa: S301 - in the user's own folder, which nobody else writes


def key_of(*parts: bytes) -> bytes:
    """The key of what follows from these bytes."""
    digest = blake2b(_ourselves(), digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.digest()


@functools.cache
def _ourselves() -> bytes:
    """The analysis as it is: another version of it finds everything anew."""
    digest = blake2b()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()


def usual_place() -> Path | None:
    """Below XDG_CACHE_HOME, or ~/.cache; None for somebody without a home."""
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        return None
    return Path(base) / "django-strangler" / "map.sqlite3"
