"""The monolith's own migrations, as operations may move them: one at a time, without stalling its traffic."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.exceptions import MigrationSchemaMissing
from django.db.migrations.loader import MigrationLoader

from strangler.plans.errors import PlanError

# Less than PostgreSQL's deadlock_timeout (1 s): in a deadlock with the application it is we who give way.
_LOCK_TIMEOUT = "200ms"
_ATTEMPTS = 50
_PAUSE = 0.2
_TRY_AGAIN = frozenset({"55P03", "40P01"})  # lock not available, deadlock detected


@dataclass(frozen=True)
class DjangoMigrations:
    """Implements `strangler.plans.world.Migrations` over one of Django's databases."""

    alias: str = "default"

    def is_applied(self, app: str, name: str) -> bool:
        with _sentences():
            return (app, name) in self._loader(app, name).applied_migrations

    def apply(self, app: str, name: str) -> None:
        with _sentences():
            self._migrate(app, name)

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
            self._migrate(app, next((parent[1] for parent in parents if parent[0] == app), "zero"))

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

    def _migrate(self, app: str, target: str) -> None:
        """Change tables only while nobody else is in the way for long: waiters would queue up behind us."""
        postgres = self._connection.vendor == "postgresql"
        for attempt in range(1, _ATTEMPTS + 1):
            if postgres:
                self._execute(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
            try:
                call_command("migrate", app, target, database=self.alias, interactive=False, verbosity=0)
            except DatabaseError as error:
                if getattr(error.__cause__, "sqlstate", None) not in _TRY_AGAIN or attempt == _ATTEMPTS:
                    raise
                time.sleep(_PAUSE)
            else:
                return
            finally:
                if postgres:
                    self._execute("RESET lock_timeout")

    def _execute(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except (DatabaseError, MigrationSchemaMissing, CommandError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise PlanError(f"the monolith's database refused: {lines[0]}") from error
