"""Advisory locks of a session of PostgreSQL."""

from __future__ import annotations

import hashlib

import psycopg

from strangler.split.errors import SplitError
from strangler.split.locks import Locks
from strangler.split.postgres.catalog import Connection

_SESSION = """
    SET idle_session_timeout = 0;  -- a lock is idle for as long as an operation takes
    SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3
"""
"""So that the server notices within 20 s that the executor's whole machine is gone."""


class AdvisoryLocks(Locks):
    """See Locks. The connection must lead to the server itself: behind a pooler that shares sessions, a session's lock
    keeps nobody out."""

    def __init__(self, connection: Connection, label: str) -> None:
        self._connection = connection
        connection.execute(_SESSION)
        connection.execute("SELECT set_config('application_name', %s, false)", (label,))

    def take(self, name: str, *, shared: bool = False) -> str | None:
        key = int.from_bytes(hashlib.sha256(f"strangler {name}".encode()).digest()[:8], signed=True)
        take = "SELECT pg_try_advisory_lock_shared(%s)" if shared else "SELECT pg_try_advisory_lock(%s)"
        if self._connection.execute(take, (key,)).fetchone() == (True,):
            return None
        row = self._connection.execute(
            """SELECT format('%%s, process %%s of the database since %%s', a.application_name, a.pid,
                             a.backend_start::timestamptz(0))
               FROM pg_locks l JOIN pg_stat_activity a USING (pid)
               WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
                 AND (l.classid::bigint << 32) | l.objid::bigint = %s
               LIMIT 1""",
            (key,),
        ).fetchone()
        return str(row[0]) if row else "it has just ended"

    def check(self) -> None:
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise SplitError("its connection to the database broke") from error

    def close(self) -> None:
        self._connection.close()
