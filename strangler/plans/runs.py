"""Work of a plan that is done exactly once: its record is a row that commits with it, in the same database."""

from __future__ import annotations

from collections.abc import Callable

from strangler.plans.databases import Databases, Transaction, driver_errors
from strangler.plans.errors import PlanError
from strangler.plans.state import Run

Work = Callable[[Transaction], object]

_UNDO = "DELETE FROM strangler.runs WHERE plan = %s AND run = %s"
_SAVEPOINT = "strangler_run"
"""Gone with its transaction, so that it tells in every engine whether that still is the same one."""
_ABORTED = "25P02"  # PostgreSQL: an error was swallowed, and it says so itself


def apply_once(databases: Databases, run: Run, work: Work) -> bool:
    """Do the work unless its record says that it is done; whether it was done now. Raises PlanError."""
    return _once(databases, run, work, undo=False)


def undo_once(databases: Databases, run: Run, work: Work) -> bool:
    """Do the reverse unless there is nothing to undo; whether it was done now. Raises PlanError."""
    return _once(databases, run, work, undo=True)


def _once(databases: Databases, run: Run, work: Work, *, undo: bool) -> bool:
    _prepare(databases, run.database)
    with databases.transaction(run.database) as transaction:
        # The record first: a second executor waits for its row, and then finds it.
        statement = _UNDO if undo else _apply(transaction.engine)
        if not transaction.execute(statement, (run.plan, run.number)):
            return False
        cursor = transaction.connection.cursor()
        cursor.execute(f"SAVEPOINT {_SAVEPOINT}")
        work(transaction)
        try:
            cursor.execute(f"RELEASE SAVEPOINT {_SAVEPOINT}")
        except driver_errors() as error:
            if getattr(error, "sqlstate", None) == _ABORTED:
                raise
            raise PlanError(
                f"what was run in the {run.database}'s database ended the transaction itself, so that it and its "
                "record may have parted; take COMMIT and ROLLBACK out of it, then see what it has left behind"
            ) from error
    return True


def _apply(engine: str) -> str:
    row = "INTO strangler.runs (plan, run) VALUES (%s, %s)"
    return f"INSERT IGNORE {row}" if engine == "mysql" else f"INSERT {row} ON CONFLICT DO NOTHING"


def _prepare(databases: Databases, where: str) -> None:
    """Let the user of the work write its record, whoever that is."""
    user = databases.user(where)
    with databases.connect(where) as administrator:
        administrator.create_plan_tables(user)
