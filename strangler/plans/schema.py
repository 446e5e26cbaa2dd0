"""What the plans need to know of the monolith's models: a value, so that planning needs no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import ForeignKey

from strangler.plans.errors import PlanError

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.models import Field as DjangoField
    from django.db.models import Model as DjangoModel

_DJANGO_DELETION = "django.db.models.deletion."
_OUR_DELETION = "strangler.deletion."
_GENERIC = "django.contrib.contenttypes.fields"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One concrete field: the name of its column and, for a foreign key, what it points at."""

    name: str
    column: str
    primary_key: bool = False
    references: str | None = None
    """Label of the model that a foreign key points at."""
    references_column: str | None = None
    """The column there whose values this one holds."""
    constraint: bool = True
    """Whether the database enforces a foreign key."""
    parent_link: bool = False
    """Whether it leads from the table of an inheriting model to that of the model it inherits from."""
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

    @property
    def clean_up(self) -> str | None:
        """What whoever owns this field's table owes after a deletion: "cascade", "set_null" or "set_default".

        None where the project sees to that itself, or nothing is to be done: only `strangler.deletion` owes anything.
        """
        name = self.on_delete or ""
        return name.removeprefix(_OUR_DELETION) if name.startswith(_OUR_DELETION) else None


@dataclass(frozen=True, kw_only=True)
class GenericKey:
    """A GenericForeignKey: a pointer of two columns, of which the database knows nothing."""

    name: str
    column: str
    """The column with the key of the row pointed at."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model of the monolith under its label, "app.Name"."""

    label: str
    table: str
    fields: tuple[Field, ...]
    generic_keys: tuple[GenericKey, ...] = ()
    generic_relations: tuple[tuple[str, str], ...] = ()
    """Name and model of each GenericRelation: deleting a row here deletes those that point at it there."""
    proxy_for: str | None = None
    """The model whose table this one uses, if it has none of its own."""
    managed: bool = True
    auto_created: str | None = None
    """The many-to-many field, "app.Model.field", for which Django has made this model."""

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
    swapped: tuple[tuple[str, str], ...] = ()
    """Models that the project has replaced by others: label and label."""

    def model(self, label: str) -> Model:
        """Raises PlanError where there is no such model."""
        for model in self.models:
            if model.label == label:
                return model
        if other := dict(self.swapped).get(label):
            raise PlanError(f'"{label}" is swapped for "{other}"; name that one')
        app = label.partition(".")[0]
        known = [model.label for model in self.models if model.label.partition(".")[0] == app]
        hint = f'app "{app}" has {_listed(known)}' if known else f'there is no app "{app}" with models'
        raise PlanError(f'unknown model "{label}"; {hint}')

    def foreign_key(self, name: str) -> tuple[Model, Field]:
        """Look up "app.Model.field". Raises PlanError where that is not a foreign key."""
        model, field_name = self.split(name)
        if through := [other.label for other in self.models if other.auto_created == name]:
            raise PlanError(f'"{name}" is a many-to-many field; its foreign keys are those of "{through[0]}"')
        field = model.field(field_name)
        if field.references is None:
            raise PlanError(f'field "{name}" is not a foreign key; there is nothing to cut')
        return model, field

    def with_table(self, label: str) -> Model:
        """A model with a table of its own. Raises PlanError where it has none."""
        model = self.model(label)
        if model.proxy_for:
            raise PlanError(f'"{label}" is a proxy of "{model.proxy_for}" and has no table; name that one')
        return model

    def split(self, name: str) -> tuple[Model, str]:
        """The model and the field's name of "app.Model.field". Raises PlanError where there is no such model."""
        label, _, field_name = name.rpartition(".")
        if label.count(".") != 1:
            raise PlanError(f'"{name}" is not a field; write "app.Model.field"')
        return self.with_table(label), field_name

    def on_table(self, table: str) -> tuple[Model, ...]:
        """The models with this table of their own; more than one where somebody mapped it twice."""
        return tuple(model for model in self.models if model.table == table and model.proxy_for is None)


def schema_of(apps: Apps) -> Schema:
    """Read the models of an app registry, those that Django makes for many-to-many fields included."""
    found = apps.get_models(include_auto_created=True, include_swapped=True)
    return Schema(
        models=tuple(_model(model) for model in found if not model._meta.swapped),
        swapped=tuple((model._meta.label, str(model._meta.swapped)) for model in found if model._meta.swapped),
    )


def _model(model: type[DjangoModel]) -> Model:
    options = model._meta
    return Model(
        label=options.label,
        table=options.db_table,
        fields=tuple(_field(field, key=field in options.pk_fields) for field in options.local_concrete_fields),
        generic_keys=tuple(
            GenericKey(name=field.name, column=str(getattr(options.get_field(field.fk_field), "column", "")))
            for field in options.private_fields
            if _is_generic(field, "GenericForeignKey")
        ),
        generic_relations=tuple(
            (field.name, field.related_model._meta.label)
            for field in options.private_fields
            if _is_generic(field, "GenericRelation")
        ),
        proxy_for=options.concrete_model._meta.label if options.proxy and options.concrete_model else None,
        managed=options.managed,
        auto_created=_many_to_many(model) if options.auto_created else None,
    )


def _field(field: DjangoField[object, object], *, key: bool) -> Field:
    column = field.column or field.name
    if not isinstance(field, ForeignKey):
        return Field(name=field.name, column=column, primary_key=key)
    relation: Any = field
    on_delete = relation.remote_field.on_delete
    return Field(
        name=field.name,
        column=column,
        primary_key=key,
        references=relation.related_model._meta.label,
        references_column=relation.target_field.column,
        constraint=relation.db_constraint,
        parent_link=relation.remote_field.parent_link,
        on_delete=f"{on_delete.__module__}.{on_delete.__qualname__}",
    )


def _is_generic(field: object, kind: str) -> bool:
    # By name: its module can only be imported in a project that has installed the content types.
    return any(f"{c.__module__}.{c.__name__}" == f"{_GENERIC}.{kind}" for c in type(field).__mro__)


def _many_to_many(through: type[DjangoModel]) -> str:
    owner: Any = through._meta.auto_created
    name = next(field.name for field in owner._meta.local_many_to_many if field.remote_field.through is through)
    return f"{owner._meta.label}.{name}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
