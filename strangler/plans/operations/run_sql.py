"""RunSQL: SQL of the plan's own, in one transaction with the record that it ran."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import sqlparse

from strangler.plans.databases import MONOLITH, Transaction
from strangler.plans.errors import PlanError
from strangler.plans.operations.base import Operation
from strangler.plans.operations.running import check_database, check_reverse, with_run
from strangler.plans.runs import apply_once, undo_once
from strangler.plans.state import PlanKey, ProjectState
from strangler.plans.world import World

_OF_ROWS = frozenset(("SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "VALUES", "DO"))
"""With what statements begin that change or read rows, and surely end no transaction of MySQL."""


@dataclass(frozen=True)
class RunSQL(Operation):
    """Run statements in the monolith's or the service's database, exactly once.

    They and a row of `strangler.runs` commit together, so that a crash leaves both or neither, and the next run of
    the plan looks at the row instead of guessing. So they must not end the transaction, and what cannot run in one
    (CREATE INDEX CONCURRENTLY) is refused by the database with nothing changed. MySQL and MariaDB end it before and
    after whatever changes a schema, so there only statements that change or read rows are run, backwards included.

    `reverse_sql` takes them back; NOTHING says that nothing is to be taken back. Where that cannot be, say why in
    `irreversible`: then it ends the way back, and stands with the plan's final operations.
    """

    NOTHING: ClassVar[str] = "-- nothing to take back"

    sql: str
    reverse_sql: str | None = None
    _: KW_ONLY
    irreversible: str | None = None
    database: str = MONOLITH

    def __post_init__(self) -> None:
        if not self.sql.strip():
            raise ValueError("RunSQL has no SQL; write some")
        if self.reverse_sql is not None and not self.reverse_sql.strip():
            raise ValueError("RunSQL: the reverse is empty; write RunSQL.NOTHING if nothing is to be taken back")
        check_reverse(self, self.reverse_sql, self.irreversible)
        check_database(self, self.database)

    @property
    def reversible(self) -> bool:
        return self.irreversible is None

    @property
    def final(self) -> bool:
        return not self.reversible

    def describe(self) -> str:
        why = f" (irreversible: {self.irreversible})" if self.irreversible else ""
        return f"Run SQL in the {self.database}'s database: {_short(self.sql)}{why}"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        return with_run(state, plan, self.database)

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield f"-- {self.database}: in one transaction with its record"
        yield from _lines(self.sql)

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        if self.reverse_sql is not None:
            yield f"-- {self.database}: in one transaction with its record"
            yield from _lines(self.reverse_sql)

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        def work(transaction: Transaction) -> None:
            # The reverse too: what cannot be taken back later is not begun.
            for text in (self.sql, self.reverse_sql or self.NOTHING):
                _refuse_ending(transaction, text)
            _execute(transaction, self.sql)

        done = apply_once(world.databases, after.runs[-1], work)
        world.emit("progress", ran=done)

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        reverse = self.reverse_sql or self.NOTHING
        done = undo_once(world.databases, after.runs[-1], lambda transaction: _execute(transaction, reverse))
        world.emit("progress", ran=done)


def _execute(transaction: Transaction, text: str) -> None:
    # A plan is code of the project, reviewed like any other; its text is taken as it stands.
    cursor = transaction.connection.cursor()
    for statement in [text] if transaction.engine == "postgresql" else _statements(text):
        cursor.execute(statement)


def _statements(text: str) -> list[str]:
    """Each by itself, as drivers other than PostgreSQL's take them; comments alone are none."""
    return [statement for statement in sqlparse.split(text) if _bare(statement)]


def _bare(statement: str) -> str:
    if "/*!" in statement or "/*M!" in statement:
        return statement  # MySQL runs such a comment
    return str(sqlparse.format(statement, strip_comments=True)).strip(" ;\n")


def _refuse_ending(transaction: Transaction, text: str) -> None:
    if transaction.engine != "mysql":
        return
    for statement in _statements(text):
        verb = _bare(statement).split(maxsplit=1)[0].upper()
        if verb not in _OF_ROWS:
            raise PlanError(
                f'MySQL and MariaDB may end the transaction at "{_short(statement)}", so that it and its record could '
                "part; put a change of the schema into a migration"
            )


def _lines(text: str) -> Iterator[str]:
    yield from (line for line in text.strip().splitlines() if line.strip())


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 60 else f"{flat[:57]}..."
