"""The monolith's own migrations, as operations may move them: one at a time, without stalling its traffic."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, permutations
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.exceptions import MigrationSchemaMissing
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AlterField, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation

from strangler.plans.errors import PlanError

_FIRST_LOCK = "1500ms"
"""For the first table we may wait long: we hold nothing that anybody could wait for."""
_LOCK_TIMEOUT = "200ms"
"""For each other one: all together less than PostgreSQL's deadlock_timeout (1 s), so that in a deadlock with the
application it is we who give way."""
_PAUSE = 0.2
_AT_ONCE = 1.0
"""Seconds for which we look for a moment in which nobody uses the tables, every ..."""
_LOOK_AGAIN = 0.01
"""... so many seconds, before we wait for one table after the other."""
_TRY_AGAIN = frozenset({"55P03", "40P01"})  # lock not available, deadlock detected
_TRY_AGAIN_IN_MYSQL = ((1205,), (1213,))  # the same
_FOREIGN_KEY = re.compile(r"ALTER TABLE `(.+?)` ADD CONSTRAINT `(.+?)` FOREIGN KEY\b")
_CONSTRAINT = (
    "SELECT 1 FROM information_schema.TABLE_CONSTRAINTS "
    "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s AND CONSTRAINT_NAME = %s"
)


@dataclass(frozen=True)
class DjangoMigrations:
    """Implements `strangler.plans.world.Migrations` over one of Django's databases."""

    alias: str = "default"
    attempts: int = 60
    """How often the locks are asked for."""

    def is_applied(self, app: str, name: str) -> bool:
        with _sentences():
            return (app, name) in self._loader(app, name).applied_migrations

    def apply(self, app: str, name: str) -> None:
        with _sentences():
            self._migrate(app, name, name)

    def unapply(self, app: str, name: str) -> None:
        """Raises PlanError where others stand on it: undoing those is not ours to decide."""
        with _sentences():
            loader = self._loader(app, name)
            above = [n for n in loader.graph.backwards_plan((app, name)) if n in loader.applied_migrations]
            if others := [node for node in above if node != (app, name)]:
                raise PlanError(
                    f'migration "{app}.{name}" cannot be undone under "{".".join(others[0])}"; undo that one first'
                )
            parents = [node.key for node in loader.graph.node_map[app, name].parents]
            self._migrate(app, name, next((parent[1] for parent in parents if parent[0] == app), "zero"))

    def sql(self, app: str, name: str, *, undo: bool = False) -> list[str]:
        with _sentences():
            migration = self._loader(app, name).get_migration(app, name)
            lines = MigrationLoader(self._connection, replace_migrations=False).collect_sql([(migration, undo)])
            return [line for line in lines if line and not line.startswith("--")]

    @property
    def _connection(self) -> BaseDatabaseWrapper:
        return connections[self.alias]

    def _loader(self, app: str, name: str) -> MigrationLoader:
        loader = MigrationLoader(self._connection)
        if (app, name) not in loader.graph.nodes:
            raise PlanError(f'app "{app}" has no migration "{name}"; write it with "manage.py cutforeignkeys"')
        return loader

    def _migrate(self, app: str, name: str, target: str) -> None:
        """Change tables only while nobody else is in the way for long: waiters would queue up behind us."""
        orders = self._lock_orders(app, name) if self._connection.vendor == "postgresql" else [()]
        for attempt, tables in zip(range(1, self.attempts + 1), cycle(orders), strict=False):
            try:
                with self._shortly(tables):
                    call_command("migrate", app, target, database=self.alias, interactive=False, verbosity=0)
            except DatabaseError as error:
                if not _try_again(error):
                    raise
                if attempt == self.attempts:
                    raise PlanError(
                        f'the tables of migration "{app}.{name}" were in use each of the {attempt} times that they '
                        "were asked for; look for long transactions, and run it again when there is less to do"
                    ) from error
                time.sleep(_PAUSE)
            else:
                return

    @contextmanager
    def _shortly(self, tables: Sequence[str]) -> Iterator[None]:
        """Within, locks are not waited for long. What the engine allows of a migration is one transaction."""
        if self._connection.vendor == "postgresql":
            with transaction.atomic(using=self.alias):
                self._lock(tables)
                yield
        elif self._connection.vendor == "mysql":
            # A change of the schema ends the transaction, so a migration may have been done in part.
            [(before,)] = self._execute("SELECT @@SESSION.lock_wait_timeout")
            self._execute("SET SESSION lock_wait_timeout = 1")
            try:
                with self._connection.execute_wrapper(_without_what_is_there):
                    yield
            finally:
                self._execute(f"SET SESSION lock_wait_timeout = {int(before)}")
        else:
            # Django makes it a transaction by itself; in ours, SQLite could not remake a table.
            yield

    def _lock(self, tables: Sequence[str]) -> None:
        """Lock all tables. Raises DatabaseError where that took too long."""
        until = time.monotonic() + _AT_ONCE
        while time.monotonic() < until:
            if self._lock_at_once(tables):
                return
            time.sleep(_LOOK_AGAIN)
        # There is always somebody: have those who come queue up behind us.
        timeout = _FIRST_LOCK
        for table in tables:
            self._execute(f"SET LOCAL lock_timeout = '{timeout}'")
            self._execute(f"LOCK TABLE {self._connection.ops.quote_name(table)} IN ACCESS EXCLUSIVE MODE")
            timeout = _LOCK_TIMEOUT

    def _lock_at_once(self, tables: Sequence[str]) -> bool:
        """Take all the locks or none of them; nobody waits for us meanwhile, whatever the order in which he reads."""
        names = ", ".join(map(self._connection.ops.quote_name, tables))
        try:
            with transaction.atomic(using=self.alias):
                if names:
                    self._execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE NOWAIT")
        except DatabaseError as error:
            if not _try_again(error):
                raise
            return False
        return True

    def _lock_orders(self, app: str, name: str) -> list[tuple[str, ...]]:
        """Orders in which to lock the tables at both ends of the foreign keys that the migration changes.

        Where requests read one table before another, only the same order comes through between them: whoever holds
        the first one and waits for the second, which we hold, keeps us from the first. Which order that is nobody
        knows; that rows come after those they belong to is likely, so each order of these is tried in turn.
        """
        loader = self._loader(app, name)
        models = loader.project_state((app, name)).apps
        parents, children = [], []
        for operation in _flat(loader.get_migration(app, name).operations):
            if isinstance(operation, AlterField) and operation.field.remote_field is not None:
                field = models.get_model(app, operation.model_name)._meta.get_field(operation.name)
                parents.append(field.related_model._meta.db_table)
                children.append(field.model._meta.db_table)
        last = tuple(table for table in dict.fromkeys(children) if table not in parents)
        return [order + last for order in permutations(dict.fromkeys(parents))]

    def _execute(self, statement: str) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []


def _try_again(error: DatabaseError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in _TRY_AGAIN or error.args[:1] in _TRY_AGAIN_IN_MYSQL


def _without_what_is_there(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Leave out a foreign key that is there since the migration was begun, and broke off, before."""
    if found := _FOREIGN_KEY.match(str(sql)):
        with context["connection"].connection.cursor() as cursor:
            if cursor.execute(_CONSTRAINT, found.groups()):
                return None
    return execute(sql, params, many, context)


def _flat(operations: Iterable[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        else:
            yield operation


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except (DatabaseError, MigrationSchemaMissing, CommandError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise PlanError(f"the monolith's database refused: {lines[0]}") from error
