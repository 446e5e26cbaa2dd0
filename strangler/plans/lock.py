"""Only one executor a plan: a session lock in the source database, gone with the connection that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from strangler.plans.errors import PlanError


@contextmanager
def plan_lock(dsn: str, plan: str) -> Iterator[None]:
    """Hold the plan's lock. Raises PlanError where somebody else holds it or the database cannot be reached."""
    try:
        connection = psycopg.connect(dsn, autocommit=True, connect_timeout=5)
    except psycopg.Error as error:
        raise PlanError(f"the source database cannot be reached: {_reason(error)}") from None
    with connection:
        row = connection.execute("SELECT pg_try_advisory_lock(hashtext('strangler.plan'), hashtext(%s))", (plan,))
        if row.fetchone() != (True,):
            raise PlanError(f'plan "{plan}" is already running elsewhere; wait for it, or stop it')
        yield


def _reason(error: psycopg.Error) -> str:
    """The server's or the network's own words, without the password that was tried."""
    lines = str(error).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__
