"""Locks beside a SQLite database: SQLite's own, on an empty database for each name in the same directory.

SQLite has no locks of a session. A transaction that is kept open in the database itself would keep all writers out, or
no reader of it; so each name gets a database of its own, in which a transaction is kept open: BEGIN EXCLUSIVE, or a
reader's. The kernel takes these locks back when the process ends, however it does.

Whoever works with the database comes to the same directory: WAL keeps two files beside the database, and works on one
machine only, where the kernel's locks hold.
"""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path
from urllib.parse import quote

from strangler.split.errors import SplitError
from strangler.split.locks import Locks


class FileLocks(Locks):
    """See Locks."""

    def __init__(self, database: Path) -> None:
        # SQLite too follows links before it looks for what lies beside a database.
        self._database = database.resolve()
        self._held: dict[Path, tuple[sqlite3.Connection, int]] = {}

    def take(self, name: str, *, shared: bool = False) -> str | None:
        path = self._path(name)
        try:
            connection = sqlite3.connect(f"file:{quote(str(path))}", uri=True, timeout=0, isolation_level=None)
            # A journal in WAL would let readers and a writer have it together.
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("BEGIN" if shared else "BEGIN EXCLUSIVE")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                connection.close()
                return f'a process of this machine that holds "{path}"; fuser names it'
            raise SplitError(f'cannot lock "{path}" beside the database: {error}; check the directory') from error
        self._held[path] = connection, path.stat().st_ino
        return None

    def check(self) -> None:
        for path, (_, number) in self._held.items():
            if not path.exists() or path.stat().st_ino != number:
                raise SplitError(f'somebody has removed "{path}"')

    def close(self) -> None:
        for connection, _ in self._held.values():
            connection.close()

    def _path(self, name: str) -> Path:
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        return self._database.with_name(f"{self._database.name}-strangler-{digest}")
