"""The two databases of a plan, for operations that speak SQL themselves: the only place where they get connections."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import Error as DjangoError
from django.db import connections, transaction

from strangler import tables
from strangler.plans.errors import PlanError
from strangler.split.errors import Busy, StatementFailed
from strangler.split.postgres import PostgresStore
from strangler.split.store import Database, Role, Store

MONOLITH = "monolith"
SERVICE = "service"
_DRIVERS = ("psycopg", "sqlite3", "pymysql", "MySQLdb")
_SHORT = 0.25
_PAUSE = 0.2
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """An open transaction of a plan's own."""

    engine: str
    """"postgresql", "sqlite", or "mysql", which MariaDB counts as here."""
    connection: Any
    """The driver's own: psycopg's, PyMySQL's or mysqlclient's, sqlite3's."""
    execute: Callable[[str, Sequence[str | int]], int]
    """Run a statement on the toolkit's tables, in the SQL that all engines share; how many rows it changed."""


@dataclass(frozen=True, kw_only=True)
class Databases:
    """The monolith's database and the service's."""

    monolith: Database | None = None
    service: Database | None = None
    alias: str | None = None
    """Django's name of the monolith's database. Without it a transaction there is an administrator's."""

    @contextmanager
    def connect(self, where: str, role: Role = Role.ADMINISTRATOR, *, lock_timeout: float = 5.0) -> Iterator[Store]:
        """An administrator's connection in autocommit. What the database refuses becomes a PlanError."""
        database = self.monolith if where == MONOLITH else self.service
        if database is None:
            raise PlanError(f"the plan was given no {where} database; set its DSN")
        with database.connect(role, lock_timeout=lock_timeout) as store, _sentences(where):
            yield store

    @contextmanager
    def postgres(self, where: str, what: str, otherwise: str) -> Iterator[PostgresStore]:
        """As `connect`, for "what" is done on PostgreSQL alone; the refusal of other engines advises "otherwise"."""
        with self.connect(where) as store:
            if not isinstance(store, PostgresStore):
                raise PlanError(f"{what} on PostgreSQL only, and the {where}'s database is {store.engine}; {otherwise}")
            yield store

    def patiently(self, where: str, work: Callable[[Store], T], seconds: float) -> T:
        """Do work that locks tables, in one transaction, again and again until it gets its locks or the time is over.

        Whoever uses the tables queues up behind a lock that waits; so it is asked for shortly, and often.
        """
        deadline = time.monotonic() + seconds
        with self.connect(where, lock_timeout=_SHORT) as store:
            while True:
                try:
                    with store.transaction():
                        return work(store)
                except Busy:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(_PAUSE)

    @contextmanager
    def transaction(self, where: str) -> Iterator[Transaction]:
        """One transaction, committed at the end. What the database refuses becomes a PlanError.

        In the monolith's database it is Django's own, so that models take part in it.
        """
        if where == SERVICE or self.alias is None:
            with self.connect(where, Role.PLAIN) as store, store.transaction():
                engine = "mysql" if store.engine == "mariadb" else store.engine
                yield Transaction(engine=engine, connection=store.connection, execute=store.execute)
            return
        with _sentences(where), transaction.atomic(using=self.alias, durable=True):
            django = connections[self.alias]
            django.ensure_connection()

            def execute(statement: str, params: Sequence[str | int]) -> int:
                with django.cursor() as cursor:
                    cursor.execute(statement.replace("strangler.", tables.sql_name(django, "")), params)
                    return int(cursor.rowcount)

            yield Transaction(engine=django.vendor, connection=django.connection, execute=execute)

    def unseen(self) -> Iterator[str]:
        """Why the monolith's code would not learn that tables have moved, in sentences. Read-only; after the set-up."""
        if self.alias is None:
            return
        django = connections[self.alias]
        if hidden := [name for name in ("ownership", "claims") if not tables.exists(django, name)]:
            yield (
                f'the user of Django\'s database "{self.alias}" cannot see '
                f"{' and '.join(tables.sql_name(django, name) for name in hidden)}, from which code learns that tables "
                "have moved; GRANT SELECT to it"
            )

    def user(self, where: str) -> str:
        """The user of the transactions there, who may be another than the administrator; empty without users."""
        with self.transaction(where) as work:
            if work.engine == "sqlite":
                return ""
            cursor = work.connection.cursor()
            cursor.execute("SELECT CURRENT_USER")
            return str(cursor.fetchone()[0])


def driver_errors() -> tuple[type[Exception], ...]:
    """What the drivers that are in use raise by themselves."""
    return tuple(sys.modules[name].Error for name in _DRIVERS if name in sys.modules)


@contextmanager
def _sentences(where: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not isinstance(error, (DjangoError, StatementFailed, *driver_errors())):
            raise
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise PlanError(f"the {where}'s database refused: {lines[0]}") from error
