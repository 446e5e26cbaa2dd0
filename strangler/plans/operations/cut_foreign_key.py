"""CutForeignKey: the constraint goes from the database, the column and the ORM's field stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace

from strangler.plans.databases import MONOLITH
from strangler.plans.errors import PlanError
from strangler.plans.operations.base import Operation
from strangler.plans.schema import Field, Model
from strangler.plans.state import Cleanup, Cut, PlanKey, ProjectState
from strangler.plans.world import World
from strangler.split.deletions import Followed

_PATIENCE = 30.0


@dataclass(frozen=True)
class CutForeignKey(Operation):
    """Apply a migration of the monolith that drops a foreign key's constraint, such as `cutforeignkeys` writes.

    Several cuts may share one migration; it is undone last, with the first of them. A pointer without a constraint (a
    GenericForeignKey, a key with db_constraint=False) has no migration: the cut says that it may cross a boundary.

    Where the field's on_delete is one of `strangler.deletion`, a trigger on the table pointed at notes from now on
    each deletion there, in its transaction; `strangler.cleanups` reads what the service owes.
    """

    field: str
    _: KW_ONLY
    keep: str
    migration: str | None = None

    def describe(self) -> str:
        return f"Cut foreign key {self.field}, keep {self.keep}"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        model, name = state.schema.split(self.field)
        generic = next((key for key in model.generic_keys if key.name == name), None)
        if generic is not None:
            self._check_kept(generic.column)
            self._check_no_migration("a generic foreign key has no constraint")
            owed = None
        else:
            field = state.schema.foreign_key(self.field)[1]
            self._check(model, field)
            owed = _owed(self.field, plan, field)
        if state.is_cut(self.field):
            raise PlanError(f'foreign key "{self.field}" is cut already; remove one of the two')
        if state.move_of(model.label):
            raise PlanError(f'table of "{model.label}" has moved already; cut its foreign keys before')
        cut = Cut(plan=plan.name, field=self.field, migration=self.migration)
        return replace(state, cuts=(*state.cuts, cut), cleanups=(*state.cleanups, owed) if owed else state.cleanups)

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        cut = after.cuts[-1]
        for cleanup in _new(before, after):
            yield f"-- {MONOLITH}: note every deletion that {cleanup.service} has to follow ({cleanup.on_delete})"
            with world.databases.connect(MONOLITH) as store:
                followed = _followed(cleanup, after)
                refusals = list(store.unseen_deletions(followed))
                yield from (f"-- would be refused now: {refusal}" for refusal in refusals)
                yield from (f"{statement};" for statement in (() if refusals else store.note_deletions(followed)))
        if cut.migration is None:
            yield f"-- {MONOLITH}: {self.field} has no constraint; nothing is dropped"
        elif world.migrations.is_applied(cut.app, cut.migration) or _shared(cut, before):
            yield f"-- monolith: migration {cut.app}.{cut.migration} is applied already"
        else:
            yield f"-- monolith: apply migration {cut.app}.{cut.migration}"
            yield from world.migrations.sql(cut.app, cut.migration)

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        cut = after.cuts[-1]
        if cut.migration is None:
            yield f"-- {MONOLITH}: {self.field} never had a constraint; nothing is put back"
        elif _shared(cut, before):
            yield f"-- monolith: migration {cut.app}.{cut.migration} is still needed by an earlier operation"
        else:
            yield f"-- monolith: undo migration {cut.app}.{cut.migration}"
            yield from world.migrations.sql(cut.app, cut.migration, undo=True)
        for cleanup in _new(before, after):
            with world.databases.connect(MONOLITH) as store:
                yield from (f"{statement};" for statement in store.ignore_deletions(_followed(cleanup, after)))

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        # First what notes deletions: none may fall between the constraint and the note.
        for cleanup in _new(before, after):
            _install(world, cleanup, after)
        cut = after.cuts[-1]
        if cut.migration is None or world.migrations.is_applied(cut.app, cut.migration):
            return
        world.emit("progress", migration=f"{cut.app}.{cut.migration}")
        world.migrations.apply(cut.app, cut.migration)

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        cut = after.cuts[-1]
        applied = cut.migration is not None and world.migrations.is_applied(cut.app, cut.migration)
        if cut.migration is not None and applied and not _shared(cut, before):
            world.emit("progress", migration=f"{cut.app}.{cut.migration}", undone=True)
            world.migrations.unapply(cut.app, cut.migration)
        for cleanup in _new(before, after):
            _uninstall(world, cleanup, after)

    def _check(self, model: Model, field: Field) -> None:
        self._check_kept(field.column)
        if model.auto_created:
            raise PlanError(
                f'"{model.label}" is the hidden table of "{model.auto_created}", whose deletions nobody can direct; '
                'move both ends together, or give the field a "through" model'
            )
        if field.parent_link:
            raise PlanError(
                f'"{self.field}" leads to the inherited part of each row; "{model.label}" and "{field.references}" '
                "move together"
            )
        if field.references == model.label:
            raise PlanError(f'"{self.field}" points into its own table, which moves as a whole; leave it')
        if field.constraint and self.migration is None:
            raise PlanError(f'the database enforces "{self.field}"; name the migration that drops its constraint')
        if not field.constraint:
            self._check_no_migration(f'"{self.field}" has no constraint')
        elif not model.managed:
            raise PlanError(
                f'"{model.label}" is not managed by Django, so that no migration changes its table; give '
                f'"{self.field}" db_constraint=False, and drop what there is with RunSQL'
            )

    def _check_kept(self, column: str) -> None:
        if column != self.keep:
            raise PlanError(f'"{self.field}" is stored in column "{column}", not in "{self.keep}"; keep that one')

    def _check_no_migration(self, why: str) -> None:
        if self.migration is not None:
            raise PlanError(f"{why}; leave the migration out")


def _owed(name: str, plan: PlanKey, field: Field) -> Cleanup | None:
    if field.clean_up is None or field.references is None or field.references_column is None:
        return None
    return Cleanup(
        service=plan.service,
        field=name,
        column=field.column,
        on_delete=field.clean_up,
        references=field.references,
        references_column=field.references_column,
    )


def _new(before: ProjectState, after: ProjectState) -> tuple[Cleanup, ...]:
    return after.cleanups[len(before.cleanups) :]


def _shared(cut: Cut, before: ProjectState) -> bool:
    return any((other.app, other.migration) == (cut.app, cut.migration) for other in before.cuts)


def _install(world: World, cleanup: Cleanup, state: ProjectState) -> None:
    followed = _followed(cleanup, state)
    reader = world.databases.user(MONOLITH)
    with world.databases.connect(MONOLITH) as store:
        if refusal := next(store.unseen_deletions(followed), None):
            raise PlanError(refusal)
        store.create_plan_tables(reader)
    world.databases.patiently(MONOLITH, lambda store: store.run(store.note_deletions(followed)), _PATIENCE)
    world.emit("step", step="deletions are noted", of=cleanup.references, owes=cleanup.service)


def _uninstall(world: World, cleanup: Cleanup, state: ProjectState) -> None:
    followed = _followed(cleanup, state)
    world.databases.patiently(MONOLITH, lambda store: store.run(store.ignore_deletions(followed)), _PATIENCE)
    world.emit("step", step="deletions are noted no more", of=cleanup.references)


def _followed(cleanup: Cleanup, state: ProjectState) -> Followed:
    return Followed(
        table=state.schema.model(cleanup.references).table,
        key=cleanup.references_column,
        service=cleanup.service,
        field=cleanup.field,
        column=cleanup.column,
        on_delete=cleanup.on_delete,
    )
