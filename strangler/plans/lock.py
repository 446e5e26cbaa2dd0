"""One executor a plan, and one plan a table: locks in the source database, gone with the connection that has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from strangler.plans.errors import PlanError
from strangler.plans.touched import NOTHING, Touched
from strangler.split.errors import SplitError
from strangler.split.store import Database


@contextmanager
def plan_lock(source: Database, plan: str, tables: Touched = NOTHING) -> Iterator[Callable[[], None]]:
    """Hold the plan's lock and those of its tables; yields what raises PlanError once they are lost.

    Raises PlanError where somebody else holds one of them, SplitError without a database.
    """
    with source.connect() as store, closing(store.locks(f"django-strangler {plan}")) as locks:
        if holder := locks.take(f"plan {plan}"):
            raise PlanError(f'plan "{plan}" is already running elsewhere ({holder}); wait for it, or stop it')
        # All in one order: of two plans that meet, one comes through.
        for table in sorted({*tables.changed, *tables.read}):
            if holder := locks.take(f"table {table}", shared=table not in tables.changed):
                raise PlanError(
                    f'table "{table}" of plan "{plan}" is in the hands of another plan ({holder}); '
                    "wait for it, or stop it"
                )

        def still_held() -> None:
            try:
                locks.check()
            except SplitError as error:
                raise PlanError(
                    f'the lock of plan "{plan}" is lost: {error}; somebody else may run the plan now; look with '
                    "planstatus, then run the same command again"
                ) from error

        yield still_held
