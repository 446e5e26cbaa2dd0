"""What the plans need to know of the monolith's models: a value, so that planning needs no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from strangler.plans.errors import PlanError

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.models import Field as DjangoField
    from django.db.models import Model as DjangoModel

_DJANGO_DELETION = "django.db.models.deletion."


@dataclass(frozen=True, kw_only=True)
class Field:
    """One concrete field: the name of its column and, for a foreign key, what it points at."""

    name: str
    column: str
    primary_key: bool = False
    references: str | None = None
    """Label of the model that a foreign key points at."""
    on_delete: str | None = None
    """Dotted name of the callable that Django runs when the row pointed at is deleted."""

    @property
    def deletion_touches_rows(self) -> bool:
        """Whether deleting the row pointed at makes Django itself read or write this field's table.

        True for Django's own CASCADE, PROTECT, SET_NULL and the like. A callable of the project's own is trusted
        to know when the table has moved; DO_NOTHING does nothing.
        """
        name = self.on_delete or ""
        return name.startswith(_DJANGO_DELETION) and name != f"{_DJANGO_DELETION}DO_NOTHING"


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model of the monolith under its label, "app.Name"."""

    label: str
    table: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """Raises PlanError where there is no such field."""
        for field in self.fields:
            if field.name == name:
                return field
        raise PlanError(f'model "{self.label}" has no field "{name}"; it has {_listed(f.name for f in self.fields)}')

    def __str__(self) -> str:
        return f"{self.label} ({self.table})"


@dataclass(frozen=True, kw_only=True)
class Schema:
    """All models of the monolith."""

    models: tuple[Model, ...]

    def model(self, label: str) -> Model:
        """Raises PlanError where there is no such model."""
        for model in self.models:
            if model.label == label:
                return model
        app = label.partition(".")[0]
        known = [model.label for model in self.models if model.label.partition(".")[0] == app]
        hint = f'app "{app}" has {_listed(known)}' if known else f'there is no app "{app}" with models'
        raise PlanError(f'unknown model "{label}"; {hint}')

    def foreign_key(self, name: str) -> tuple[Model, Field]:
        """Look up "app.Model.field". Raises PlanError where that is not a foreign key."""
        label, _, field_name = name.rpartition(".")
        if label.count(".") != 1:
            raise PlanError(f'"{name}" is not a field; write "app.Model.field"')
        model = self.model(label)
        field = model.field(field_name)
        if field.references is None:
            raise PlanError(f'field "{name}" is not a foreign key; there is nothing to cut')
        return model, field


def schema_of(apps: Apps) -> Schema:
    """Read the models of an app registry, those that Django makes for many-to-many fields included."""
    return Schema(models=tuple(_model(model) for model in apps.get_models(include_auto_created=True)))


def _model(model: type[DjangoModel]) -> Model:
    options = model._meta
    fields = tuple(_field(field) for field in options.local_concrete_fields)
    return Model(label=options.label, table=options.db_table, fields=fields)


def _field(field: DjangoField[object, object]) -> Field:
    related = field.related_model if field.is_relation else None
    on_delete = getattr(field.remote_field, "on_delete", None)
    return Field(
        name=field.name,
        column=field.column or field.name,
        primary_key=field.primary_key,
        references=related._meta.label if related is not None and not isinstance(related, str) else None,
        on_delete=f"{on_delete.__module__}.{on_delete.__qualname__}" if on_delete else None,
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
