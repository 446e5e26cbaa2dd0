"""Only one executor a plan: a session lock in the source database, gone with the connection that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from strangler.plans.errors import PlanError
from strangler.split.store import Database


@contextmanager
def plan_lock(source: Database, plan: str) -> Iterator[None]:
    """Hold the plan's lock. Raises PlanError where somebody else holds it, SplitError without a database."""
    with source.connect() as connection:
        if not connection.scalar("SELECT pg_try_advisory_lock(hashtext('strangler.plan'), hashtext(%s))", (plan,)):
            raise PlanError(f'plan "{plan}" is already running elsewhere; wait for it, or stop it')
        yield
