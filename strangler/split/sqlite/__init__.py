"""SQLite 3.38 and newer in WAL mode: fences and captures by triggers that read the ownership row, rows by value."""

from strangler.split.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
