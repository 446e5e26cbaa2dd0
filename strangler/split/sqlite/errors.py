"""What SQLite says went wrong, in the toolkit's own errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from strangler.split.errors import Busy, StatementFailed, UniqueClash

_UNIQUE = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID)


@contextmanager
def translated() -> Iterator[None]:
    """Have its errors leave as ours."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None) or 0
        if code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise Busy(
                f"somebody else kept writing for too long ({error}); look for a long transaction, or try again"
            ) from error
        if code in _UNIQUE:
            raise UniqueClash(str(error)) from error
        raise StatementFailed(str(error)) from error
    except (UnicodeEncodeError, OverflowError) as error:
        raise StatementFailed(f"a value cannot be written to SQLite: {error}") from error
