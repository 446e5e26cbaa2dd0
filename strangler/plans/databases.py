"""The two databases of a plan, for operations that speak SQL themselves: the only place where they get connections."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import psycopg
from django.db import Error as DjangoError
from django.db import connections, transaction
from psycopg import sql

from strangler.plans.errors import PlanError
from strangler.split.postgres import PostgresStore
from strangler.split.postgres.catalog import Connection, scalar
from strangler.split.store import Database

MONOLITH = "monolith"
SERVICE = "service"
_LOCK_TIMEOUT = "250ms"
_PAUSE = 0.2
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Databases:
    """The monolith's database and the service's, PostgreSQL both."""

    monolith: Database | None = None
    service: Database | None = None
    alias: str | None = None
    """Django's name of the monolith's database. Without it a transaction there is an administrator's."""

    @contextmanager
    def connect(self, where: str) -> Iterator[Connection]:
        """An administrator's connection in autocommit. What the database refuses becomes a PlanError."""
        database = self.monolith if where == MONOLITH else self.service
        if database is None:
            raise PlanError(f"the plan was given no {where} database; set its DSN")
        with database.connect() as store, _sentences(where):
            if not isinstance(store, PostgresStore):
                raise PlanError(f"the {where}'s database is {store.engine}; such operations run on PostgreSQL only")
            yield store.connection

    @contextmanager
    def transaction(self, where: str) -> Iterator[Connection]:
        """One transaction, committed at the end. What the database refuses becomes a PlanError.

        In the monolith's database it is Django's own, so that models take part in it.
        """
        if where == SERVICE or self.alias is None:
            with self.connect(where) as connection, connection.transaction():
                yield connection
            return
        with _sentences(where), transaction.atomic(using=self.alias, durable=True):
            django = connections[self.alias]
            if django.vendor != "postgresql":
                raise PlanError(f'database "{self.alias}" is not PostgreSQL; such operations run on PostgreSQL only')
            django.ensure_connection()
            yield django.connection

    def user(self, where: str) -> str:
        """The user of the transactions there, who may be another than the administrator."""
        with self.transaction(where) as connection:
            return str(scalar(connection, "SELECT current_user"))


def patiently(connection: Connection, work: Callable[[], T], seconds: float) -> T:
    """Do work that locks tables, in one transaction, again and again until it gets its locks or the time is over.

    Whoever uses the tables queues up behind a lock that waits; so it is asked for shortly, and often.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            with connection.transaction():
                connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(_LOCK_TIMEOUT)))
                return work()
        except psycopg.errors.LockNotAvailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)


@contextmanager
def _sentences(where: str) -> Iterator[None]:
    try:
        yield
    except (psycopg.Error, DjangoError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise PlanError(f"the {where}'s database refused: {lines[0]}") from error
