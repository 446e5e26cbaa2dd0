"""Work of a plan that is done exactly once: its record is a row that commits with it, in the same database."""

from __future__ import annotations

from collections.abc import Callable

from psycopg import sql

from strangler.plans.databases import Databases
from strangler.plans.errors import PlanError
from strangler.plans.state import Run
from strangler.split.postgres.catalog import Connection

TABLE = """
CREATE SCHEMA IF NOT EXISTS strangler;
CREATE TABLE IF NOT EXISTS strangler.runs (
    plan text NOT NULL,
    run integer NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (plan, run)
);
"""
"""What is applied of a plan's RunSQL and RunPython; a row stands for committed work."""

_APPLY = "INSERT INTO strangler.runs (plan, run) VALUES (%s, %s) ON CONFLICT DO NOTHING"
_UNDO = "DELETE FROM strangler.runs WHERE plan = %s AND run = %s"


def apply_once(databases: Databases, run: Run, work: Callable[[Connection], object]) -> bool:
    """Do the work unless its record says that it is done; whether it was done now. Raises PlanError."""
    return _once(databases, run, work, undo=False)


def undo_once(databases: Databases, run: Run, work: Callable[[Connection], object]) -> bool:
    """Do the reverse unless there is nothing to undo; whether it was done now. Raises PlanError."""
    return _once(databases, run, work, undo=True)


def _once(databases: Databases, run: Run, work: Callable[[Connection], object], *, undo: bool) -> bool:
    _prepare(databases, run.database)
    with databases.transaction(run.database) as connection:
        # The record first: a second executor waits for its row, and then finds it.
        if not connection.execute(_UNDO if undo else _APPLY, (run.plan, run.number)).rowcount:
            return False
        began = _transaction_id(connection)
        work(connection)
        if _transaction_id(connection) != began:
            raise PlanError(
                f"what was run in the {run.database}'s database ended the transaction itself, so that it and its "
                "record may have parted; take COMMIT and ROLLBACK out of it, then see what it has left behind"
            )
    return True


def _prepare(databases: Databases, where: str) -> None:
    """Let the user of the work write its record, whoever that is."""
    user = sql.Identifier(databases.user(where))
    with databases.connect(where) as administrator, administrator.transaction():
        # As the moves do: one at a time makes the schema.
        administrator.execute("SELECT pg_advisory_xact_lock(hashtext('strangler'), 0)")
        administrator.execute(TABLE)
        administrator.execute(sql.SQL("GRANT USAGE ON SCHEMA strangler TO {}").format(user))
        administrator.execute(sql.SQL("GRANT SELECT, INSERT, DELETE ON strangler.runs TO {}").format(user))


def _transaction_id(connection: Connection) -> object:
    return connection.execute("SELECT pg_current_xact_id_if_assigned()::text").fetchone()
