"""One database's log of the changes to a move's tables: what its capture writes, and the applier reads.

How far a log goes is a number that only the log itself understands: that of a row, or a place in the server's log.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from strangler.split.table import Key, Table, key_from_text, key_to_text

if TYPE_CHECKING:
    from strangler.split.store import Fences

HEARTBEAT = "strangler.heartbeat"
"""The name of changes that carry no row of a table: their key is (beat, time)."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of a row, or of a whole table."""

    name: str
    key: Key | None  # None: the whole table, after TRUNCATE


@dataclass(frozen=True, kw_only=True)
class Read:
    """What was read of a log. All of its changes are visible in the snapshot in which it was read."""

    changes: Sequence[Change]
    numbers: Sequence[int]  # of the rows that hold them, or one place up to which the log was read if that is the end


class Log(abc.ABC):
    """See the module. None of its methods is to be called within a transaction, but read()."""

    @abc.abstractmethod
    def start(self) -> None:
        """Begin to log, where that is not done by the statements of set_up(). Does nothing where it has begun."""

    @abc.abstractmethod
    def end(self) -> int:
        """How far the log goes now: everything that was committed before this call lies before it.

        Read after the fence has committed, it has all changes before it: those who write have ended.
        """

    @abc.abstractmethod
    def waits(self, upto: int) -> bool:
        """Whether something up to there may still have to be read. This is a read-only operation."""

    @abc.abstractmethod
    def pending(self) -> int:
        """Changes that wait to be applied, about where there are very many. This is a read-only operation."""

    @abc.abstractmethod
    def read(self, limit: int, tables: Sequence[Table]) -> Read:
        """The oldest changes, about "limit" of them, within snapshot(). This is a read-only operation."""

    @abc.abstractmethod
    def forget(self, batch: int, read: Read) -> None:
        """Forget what was read, and note the receiver's batch that has it. Only after the receiver has committed."""

    @abc.abstractmethod
    def stopped(self) -> str | None:
        """Why changes are missing in the log, or None. This is a read-only operation."""

    @abc.abstractmethod
    def put(self, name: str, key: Key) -> None:
        """Put a change into the log, within a transaction: a heartbeat, or a row as if it had changed."""


class TableLog(Log):
    """The table strangler.changes, which triggers fill: a queue, whose rows go when they have been applied."""

    def __init__(self, store: Fences, move: str) -> None:
        self._store = store
        self._move = move

    def start(self) -> None:
        """See Log.start: the triggers are all."""

    def end(self) -> int:
        """See Log.end: the number of the last change that is visible, 0 if there is none."""
        return int(self._store.scalar("SELECT max(seq) FROM strangler.changes WHERE move = %s", (self._move,)) or 0)

    def waits(self, upto: int) -> bool:
        """See Log.waits."""
        return bool(
            self._store.query(
                "SELECT 1 FROM strangler.changes WHERE move = %s AND seq <= %s LIMIT 1", (self._move, upto)
            )
        )

    def pending(self) -> int:
        """See Log.pending."""
        return int(self._store.scalar("SELECT count(*) FROM strangler.changes WHERE move = %s", (self._move,)))

    def read(self, limit: int, tables: Sequence[Table]) -> Read:
        """See Log.read."""
        rows = self._store.query(
            "SELECT seq, name, key FROM strangler.changes WHERE move = %s ORDER BY seq LIMIT %s", (self._move, limit)
        )
        return Read(
            changes=[Change(name=name, key=None if key is None else key_from_text(key)) for _, name, key in rows],
            numbers=[seq for seq, _, _ in rows],
        )

    def forget(self, batch: int, read: Read) -> None:
        """See Log.forget."""
        if read.changes:
            self._store.acknowledge(self._move, batch, read.numbers)

    def stopped(self) -> str | None:
        """See Log.stopped: a log beyond its limit stops its own capture."""
        reason = self._store.scalar("SELECT stopped FROM strangler.streams WHERE move = %s", (self._move,))
        return None if reason is None else str(reason)

    def put(self, name: str, key: Key) -> None:
        """See Log.put."""
        self._store.execute(
            "INSERT INTO strangler.changes (move, name, key) VALUES (%s, %s, %s)", (self._move, name, key_to_text(key))
        )
