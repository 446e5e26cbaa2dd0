"""One executor a plan, and one plan a table: session locks in the source database, gone with their connection."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from strangler.plans.errors import PlanError
from strangler.plans.touched import NOTHING, Touched
from strangler.split.postgres import PostgresStore
from strangler.split.postgres.catalog import Connection
from strangler.split.store import Database

_SESSION = """
    SET idle_session_timeout = 0;  -- a lock is idle for as long as an operation takes
    SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3
"""
"""So that the server notices within 20 s that the executor's whole machine is gone."""


@contextmanager
def plan_lock(source: Database, plan: str, tables: Touched = NOTHING) -> Iterator[Callable[[], None]]:
    """Hold the plan's lock and those of its tables; yields what raises PlanError once they are lost.

    Raises PlanError where somebody else holds one of them, SplitError without a database. The connection must lead to
    the server itself: behind a pooler that shares sessions, a session's lock keeps nobody out.
    """
    with source.connect() as store:
        if not isinstance(store, PostgresStore):
            raise PlanError(f"the source database is {store.engine}; plans are locked in PostgreSQL only")
        connection = store.connection
        connection.execute(_SESSION)
        connection.execute("SELECT set_config('application_name', %s, false)", (f"django-strangler {plan}",))
        if holder := _refused(connection, f"plan {plan}"):
            raise PlanError(f'plan "{plan}" is already running elsewhere ({holder}); wait for it, or stop it')
        # All in one order: of two plans that meet, one comes through.
        for table in sorted({*tables.changed, *tables.read}):
            if holder := _refused(connection, f"table {table}", shared=table not in tables.changed):
                raise PlanError(
                    f'table "{table}" of plan "{plan}" is in the hands of another plan ({holder}); '
                    "wait for it, or stop it"
                )

        def still_held() -> None:
            try:
                connection.execute("SELECT 1")
            except psycopg.Error as error:
                raise PlanError(
                    f'the lock of plan "{plan}" is lost with its connection to the source database, and somebody else '
                    "may run it now; look with planstatus, then run the same command again"
                ) from error

        yield still_held


def _refused(connection: Connection, name: str, *, shared: bool = False) -> str:
    """Try to take a lock; who holds it where that is refused, else nothing."""
    key = int.from_bytes(hashlib.sha256(f"strangler {name}".encode()).digest()[:8], signed=True)
    take = "SELECT pg_try_advisory_lock_shared(%s)" if shared else "SELECT pg_try_advisory_lock(%s)"
    if connection.execute(take, (key,)).fetchone() == (True,):
        return ""
    row = connection.execute(
        """SELECT format('%%s, process %%s of the database since %%s', a.application_name, a.pid,
                         a.backend_start::timestamptz(0))
           FROM pg_locks l JOIN pg_stat_activity a USING (pid)
           WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
             AND (l.classid::bigint << 32) | l.objid::bigint = %s
           LIMIT 1""",
        (key,),
    ).fetchone()
    return str(row[0]) if row else "it has just ended"
