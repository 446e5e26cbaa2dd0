"""What becomes of rows that have moved when the row that they point at is deleted here: `on_delete` for both worlds.

    product = models.ForeignKey(Product, on_delete=strangler.deletion.cascade)

While the table is here, each does what Django's own of that name does. Once it is owned elsewhere they leave its rows
alone; CutForeignKey has put a trigger on the other table that leaves a note in the same transaction, and
`strangler.cleanups` reads these. Until then nothing is told to anybody: cut the foreign key before the table moves.

PROTECT and RESTRICT are not here. They must know the rows before the deletion, and those are in another database.
"""

from __future__ import annotations

from typing import Any

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from strangler import tables

FENCE = "strangler_fence"
_FENCED = """
    SELECT to_regclass(%s) IS NULL
        OR EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgname = %s AND tgenabled <> 'D')
"""
_CLAIMED = """
    SELECT count(*) FROM strangler_claims c JOIN strangler_ownership o ON o.move = c.move
    WHERE c.relation = %s AND c.kind = 'moved' AND NOT o.owns
"""


def cascade(collector: Any, field: models.Field[Any, Any], sub_objs: Any, using: str) -> None:
    """As Django's CASCADE."""
    if not elsewhere(field.model, using):
        models.CASCADE(collector, field, sub_objs, using)


def set_null(collector: Any, field: models.Field[Any, Any], sub_objs: Any, using: str) -> None:
    """As Django's SET_NULL."""
    if not elsewhere(field.model, using):
        models.SET_NULL(collector, field, sub_objs, using)


def set_default(collector: Any, field: models.Field[Any, Any], sub_objs: Any, using: str) -> None:
    """As Django's SET_DEFAULT."""
    if not elsewhere(field.model, using):
        models.SET_DEFAULT(collector, field, sub_objs, using)


for _each in (cascade, set_null, set_default):
    # Django then does not look for rows itself, which may be in a table that is no longer here.
    _each.lazy_sub_objs = True  # type: ignore[attr-defined]


def elsewhere(model: type[models.Model], using: str = "default") -> bool:
    """Whether the model's table is fenced in this database, or gone from it. Never cached: asks the fence itself."""
    connection = connections[using]
    table = connection.ops.quote_name(model._meta.db_table)
    if connection.vendor == "postgresql":
        return _found(connection, _FENCED, [table, table, FENCE])
    # The fences of the others ask the ownership row themselves, at each write.
    if not tables.exists(connection, "ownership"):
        return False
    there = tables.is_there(connection, model._meta.db_table)
    return not there or _found(connection, _CLAIMED, [table])


def _found(connection: BaseDatabaseWrapper, query: str, params: list[str]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return bool(cursor.fetchone()[0])
