"""What a learner's plan, models and migrations come to, as JSON on standard output.

It is run in the learner's folder by an interpreter of its own: what it loads is theirs, and may fail or never end.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.contrib import admin
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AlterField, SeparateDatabaseAndState
from django.db.migrations.state import ProjectState

APP = "reviews"
_ROWS = {"Review", "Vote"}


def main() -> None:
    """Print it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monolith.settings")
    django.setup()
    from strangler.plans import wiring  # noqa: PLC0415 - it needs settings
    from strangler.plans.errors import PlanError  # noqa: PLC0415
    from strangler.plans.loader import load_plans  # noqa: PLC0415
    from strangler.plans.report import check_plans  # noqa: PLC0415

    problems: list[str] = []
    operations: list[dict[str, Any]] = []
    try:
        plans = load_plans(Path("migration_plans"))
        operations = [_as_json(one) for plan in plans if plan.service == APP for one in plan.operations]
        problems = list(check_plans(wiring.project(), wiring.recorder))
    except PlanError as error:
        problems = [str(error)]
    loader = MigrationLoader(None)
    made = {
        "problems": problems,
        "operations": operations,
        "fields": {f"{APP}.{model.__name__}.{one.name}": one for model, one in _fields()},
        "cuts": {
            name: list(_cut(migration)) for (app, name), migration in loader.disk_migrations.items() if app == APP
        },
        "unmigrated": sorted(_unmigrated(loader)),
        "pages": sorted(_pages()),
    }
    sys.stdout.write(json.dumps(made, default=_field_as_json))


def _fields() -> Iterator[tuple[Any, Any]]:
    for model in apps.get_app_config(APP).get_models():
        yield from ((model, field) for field in model._meta.concrete_fields)


def _field_as_json(field: Any) -> dict[str, Any]:
    remote = field.remote_field
    on_delete = getattr(remote, "on_delete", None)
    return {
        "kind": type(field).__name__,
        "column": field.column,
        "on_delete": f"{on_delete.__module__}.{on_delete.__name__}" if on_delete else "",
        "constraint": bool(remote) and field.db_constraint,
    }


def _as_json(operation: Any) -> dict[str, Any]:
    given = {one.name: getattr(operation, one.name) for one in fields(operation)}
    return {"kind": type(operation).__name__, **{name: _plain(value) for name, value in given.items()}}


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, list, tuple, type(None))) else str(value)


def _cut(migration: Any) -> Iterator[str]:
    """The keys whose constraints a migration drops in the database alone, as "model.field"."""
    for operation in migration.operations:
        if isinstance(operation, SeparateDatabaseAndState):
            for one in operation.database_operations:
                if isinstance(one, AlterField) and getattr(one.field, "db_constraint", None) is False:
                    yield f"{one.model_name}.{one.name}"


def _pages() -> Iterator[str]:
    """The admin's pages that show rows of the reviews, alone or within another page."""
    for model, page in admin.site._registry.items():
        if model._meta.app_label == APP and model.__name__ in _ROWS:
            yield type(page).__name__
        yield from (inline.__name__ for inline in page.inlines if inline.model.__name__ in _ROWS)


def _unmigrated(loader: MigrationLoader) -> Iterator[str]:
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    for app, migrations in detector.changes(graph=loader.graph).items():
        yield from (f"{app}: {operation.describe()}" for one in migrations for operation in one.operations)


if __name__ == "__main__":
    main()
