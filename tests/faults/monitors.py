"""Looks at a server from outside the world: who waits for a lock there, and for whom."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any

import psycopg


class Monitor:
    """One server's. Its statements are sent without psycopg's cursors, which cost more than the statements do."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._one_at_a_time = threading.Lock()
        self.connection: psycopg.Connection[Any] = psycopg.connect(dsn, autocommit=True)

    def reconnect(self) -> None:
        """After the server was started again."""
        self.connection.close()
        self.connection = psycopg.connect(self._dsn, autocommit=True)

    def run(self, script: str) -> list[list[str]]:
        """The rows of a script's last statement, as text."""
        with self._one_at_a_time:
            result = self.connection.pgconn.exec_(script.encode())
        if result.status not in (psycopg.pq.ExecStatus.COMMAND_OK, psycopg.pq.ExecStatus.TUPLES_OK):
            raise psycopg.errors.error_from_result(result)
        return [
            [(result.get_value(row, column) or b"").decode() for column in range(result.nfields)]
            for row in range(result.ntuples)
        ]

    def commit(self) -> None:
        """Takes along to the disk what others have logged before."""
        self.run("SELECT pg_logical_emit_message(true, 'simulated', '')")

    def waiting(self, pids: Sequence[int]) -> list[int]:
        """Those of these processes that wait for a lock."""
        return list(self._blockers(pids))

    def deadlocked(self, pids: Iterable[int], others: Sequence[int]) -> bool:
        """Whether one of "pids" waits for somebody who waits, by way of "others", for itself."""
        blockers = self._blockers(others)
        for pid in pids:
            reached, ahead = set[int](), list(blockers.get(pid, ()))
            while ahead:
                reached.add(one := ahead.pop())
                ahead += [next_ for next_ in blockers.get(one, ()) if next_ not in reached]
            if pid in reached:
                return True
        return False

    def cancel(self, pids: Sequence[int]) -> None:
        """End the statements of those that wait for a lock."""
        for pid in self.waiting(pids):
            self.run(f"SELECT pg_cancel_backend({pid})")

    def stop(self, pids: Iterable[int]) -> None:
        """Processes that wait for a lock hold nothing that others need: they may be given it while they are stopped."""
        _signal(pids, signal.SIGSTOP)

    def resume(self, pids: Iterable[int]) -> None:
        _signal(pids, signal.SIGCONT)

    def close(self) -> None:
        self.connection.close()

    def _blockers(self, pids: Sequence[int]) -> dict[int, Collection[int]]:
        """Whom each of these processes waits for, those that wait only."""
        if not pids:
            return {}
        found = self.run(
            f"SELECT p, array_to_string(b, ' ') FROM unnest(ARRAY[{','.join(map(str, pids))}]) p, "
            "pg_blocking_pids(p) b WHERE b <> '{}'"
        )
        return {int(pid): [int(one) for one in blockers.split()] for pid, blockers in found}


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
