"""CopySequence: the service goes on counting where the monolith is; no number is given out twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass, replace

from psycopg import sql

from strangler.plans.databases import MONOLITH, SERVICE
from strangler.plans.errors import PlanError
from strangler.plans.operations.base import Operation
from strangler.plans.state import CopiedSequence, PlanKey, ProjectState
from strangler.plans.world import World
from strangler.split.postgres import PostgresStore
from strangler.split.postgres.catalog import Connection


@dataclass(frozen=True)
class CopySequence(Operation):
    """Set the service's sequence to the monolith's last number plus a margin, never downwards.

    A switch does that by itself for the keys of the tables that move; this is for all others, such as the numbers of
    invoices. The margin is what the monolith may give out between this operation and the moment when it stops.
    Going back sets the monolith's sequence to the service's last number in the same way, without a margin.
    """

    sequence: str
    """"app.Model.field" for the sequence of a column, else the sequence's own name, "name" or "schema.name"."""
    _: KW_ONLY
    margin: int
    patience: float = 10.0
    """Seconds for which a sequence in use is asked for."""

    def __post_init__(self) -> None:
        if self.margin < 0:
            raise ValueError(f"CopySequence: the margin {self.margin} is below 0; a sequence never goes downwards")

    def describe(self) -> str:
        return f"Copy sequence {self.sequence}, margin {self.margin}"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        if self.sequence.count(".") == 2:
            label, _, name = self.sequence.rpartition(".")
            state.schema.model(label).field(name)
        copied = CopiedSequence(plan=plan.name, name=self.sequence)
        if copied in state.sequences:
            raise PlanError(f'sequence "{self.sequence}" is copied already; name it once')
        return replace(state, sequences=(*state.sequences, copied))

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield from self._effect(world, after, MONOLITH, SERVICE, self.margin)

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        yield from self._effect(world, after, SERVICE, MONOLITH, 0)

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        self._copy(world, after, MONOLITH, SERVICE, self.margin)

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        self._copy(world, after, SERVICE, MONOLITH, 0)

    def _copy(self, world: World, state: ProjectState, origin: str, to: str, margin: int) -> None:
        wanted = self._last(world, state, origin) + margin
        with self._connect(world, to) as store:
            name = self._find(store.connection, state, to)
        reached = world.databases.patiently(to, lambda store: _raise_to(store.connection, name, wanted), self.patience)
        world.emit("progress", sequence=self.sequence, database=to, number=reached)

    def _effect(self, world: World, state: ProjectState, origin: str, to: str, margin: int) -> Iterator[str]:
        wanted = self._last(world, state, origin) + margin
        with self._connect(world, to) as store:
            connection = store.connection
            name = self._find(connection, state, to)
            if wanted <= (_last_number(connection, name) or 0):
                yield f"-- {to}: {name} is at {wanted} or above already, and never goes downwards"
                return
            yield f"-- {to}: the {origin}'s last number as of now, plus {margin}"
            yield sql.SQL("SELECT setval({}, {});").format(sql.Literal(name), sql.Literal(wanted)).as_string(connection)

    def _last(self, world: World, state: ProjectState, where: str) -> int:
        with self._connect(world, where) as store:
            return _last_number(store.connection, self._find(store.connection, state, where)) or 0

    def _connect(self, world: World, where: str) -> AbstractContextManager[PostgresStore]:
        return world.databases.postgres(
            where,
            f'sequence "{self.sequence}" can be copied',
            "the keys of tables that move go on counting there by themselves",
        )

    def _find(self, connection: Connection, state: ProjectState, where: str) -> str:
        """The sequence's quoted name in this database. Raises PlanError where it is missing or counts otherwise."""
        query = sql.SQL("SELECT seqrelid::regclass::text, seqincrement, seqcycle FROM pg_sequence WHERE seqrelid = {}")
        found = connection.execute(query.format(self._named(state))).fetchone()
        if found is None:
            raise PlanError(f'there is no sequence "{self.sequence}" in the {where}\'s database; migrate it first')
        name, increment, cycles = found
        if increment < 0 or cycles:
            how = "starts again at its end" if cycles else "counts downwards"
            raise PlanError(
                f'sequence "{self.sequence}" of the {where} {how}, so that no number is surely above all others; '
                "copy it with RunSQL, as only you know how"
            )
        return str(name)

    def _named(self, state: ProjectState) -> sql.Composed:
        if self.sequence.count(".") != 2:
            return sql.SQL("to_regclass({})").format(sql.Literal(self.sequence))
        label, _, name = self.sequence.rpartition(".")
        model = state.schema.model(label)
        table = sql.Identifier(model.table).as_string()
        arguments = sql.SQL(", ").join(map(sql.Literal, (table, model.field(name).column)))
        return sql.SQL("pg_get_serial_sequence({})::regclass").format(arguments)


def _last_number(connection: Connection, name: str) -> int | None:
    row = connection.execute("SELECT pg_sequence_last_value(%s::regclass)", (name,)).fetchone()
    return None if row is None else row[0]


def _raise_to(connection: Connection, name: str, wanted: int) -> int:
    """Let the sequence go on behind "wanted", or behind its own last number if that is higher; which of the two."""
    # Changes nothing, but nobody counts on meanwhile: a number read and then set would else go downwards.
    connection.execute(sql.SQL("ALTER SEQUENCE {} NO CYCLE").format(sql.SQL(name)))
    last = _last_number(connection, name) or 0
    if last < wanted:
        connection.execute("SELECT setval(%s, %s)", (name, wanted))
    return max(last, wanted)
