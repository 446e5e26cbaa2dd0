"""Write the monolith's migrations that a plan's CutForeignKeys name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from django.apps import apps
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AlterField, SeparateDatabaseAndState
from django.db.migrations.writer import MigrationWriter
from django.db.models import Field

from strangler.plans.errors import PlanError
from strangler.plans.state import Cut


def write_cuts(cuts: tuple[Cut, ...], directory: Path | None = None) -> Iterator[Path]:
    """Write one file for each migration named, into its app or into "directory"; yields their paths.

    Raises PlanError, before the first file is written, where one exists already.
    """
    loader = MigrationLoader(None)
    writers = []
    named = [cut for cut in cuts if cut.migration is not None]
    for (app, name), group in groupby(sorted(named, key=_migration), key=_migration):
        writer = MigrationWriter(_migration_of(app, name, tuple(group), loader))
        path = (directory / writer.filename) if directory else Path(writer.path)
        if path.exists():
            raise PlanError(f'migration "{path}" exists already; nothing is left to write')
        writers.append((writer, path))
    for writer, path in writers:
        path.write_text(writer.as_string(), encoding="utf-8")
        yield path


def _migration(cut: Cut) -> tuple[str, str]:
    return cut.app, cut.migration or ""


def _migration_of(app: str, name: str, cuts: tuple[Cut, ...], loader: MigrationLoader) -> Migration:
    """A migration after the app's last one that touches the database only.

    Its state operations are empty: the models, and so makemigrations, see no difference.
    """
    body = {"dependencies": _dependencies(app, name, loader), "operations": [_cut_constraints(cuts)]}
    migration: Migration = type("Migration", (Migration,), body)(name, app)
    return migration


def _dependencies(app: str, name: str, loader: MigrationLoader) -> list[tuple[str, str]]:
    if (app, name) not in loader.graph.nodes:
        return list(loader.graph.leaf_nodes(app))
    # It is written once more, elsewhere, to be compared.
    return [node.key for node in loader.graph.node_map[app, name].parents if node.key[0] == app]


def _cut_constraints(cuts: tuple[Cut, ...]) -> SeparateDatabaseAndState:
    return SeparateDatabaseAndState(database_operations=[_without_constraint(cut) for cut in cuts], state_operations=[])


def _without_constraint(cut: Cut) -> AlterField:
    model_label, _, field_name = cut.field.rpartition(".")
    model = apps.get_model(model_label)
    field: Field[object, object] = model._meta.get_field(field_name).clone()
    field.db_constraint = False  # type: ignore[attr-defined]
    return AlterField(model_name=model._meta.model_name or "", name=field_name, field=field)
