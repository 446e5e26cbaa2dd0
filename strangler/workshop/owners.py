"""Looks at both ownership rows without pause: is there ever an instant with two owners?

It takes no part in the protocol and reads nothing but the two rows.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import psycopg

_QUERY = "SELECT epoch, owns FROM strangler.ownership WHERE move = %s"
_Row = tuple[int, bool] | None


@dataclass
class OwnerWatch:
    """Samples in a thread of its own while the context is open."""

    source: str
    target: str
    move: str
    pause: float = 0.002
    looks: int = 0
    two_owners: int = 0
    broken: str = ""  # why it could not look, if it could not
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> OwnerWatch:
        self._thread = threading.Thread(target=self._watch, name="watch owners", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _watch(self) -> None:
        try:
            with (
                psycopg.connect(self.source, autocommit=True) as source,
                psycopg.connect(self.target, autocommit=True) as target,
            ):
                while not self._stop.is_set():
                    self._look(source, target)
                    time.sleep(self.pause)
        except psycopg.Error as error:
            self.broken = str(error).splitlines()[0]

    def _look(
        self, source: psycopg.Connection[tuple[object, ...]], target: psycopg.Connection[tuple[object, ...]]
    ) -> None:
        """Both rows, then both again: only unchanged epochs were there together."""
        first = self._row(source), self._row(target)
        again = self._row(source), self._row(target)
        if first != again or first[0] is None or first[1] is None:
            return
        self.looks += 1
        self.two_owners += first[0][1] and first[1][1]

    def _row(self, connection: psycopg.Connection[tuple[object, ...]]) -> _Row:
        try:
            return connection.execute(_QUERY, (self.move,)).fetchone()  # type: ignore[return-value]
        except psycopg.errors.UndefinedTable:
            return None  # the move is not set up yet
