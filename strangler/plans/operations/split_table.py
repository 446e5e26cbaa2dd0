"""SplitTable: some columns of a wide table get a table of their own; both shapes live until ContractTable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, replace

from strangler.plans.databases import MONOLITH
from strangler.plans.errors import PlanError
from strangler.plans.operations.base import Operation, freeze
from strangler.plans.schema import Model
from strangler.plans.state import PlanKey, ProjectState, Split
from strangler.plans.world import World
from strangler.split.shapes import Shapes
from strangler.split.store import Store

PATIENCE = 30.0


@dataclass(frozen=True)
class SplitTable(Operation):
    """Keep columns of a wide table and a narrow table with the same columns equal, in each writer's own transaction.

    The narrow model and its table are there already, with the key of the wide one as their own and these columns. Code
    of either shape may run from now on, and both at once. ContractTable ends the old one; then the narrow table moves.
    """

    model: str
    _: KW_ONLY
    columns: tuple[str, ...]
    into: str
    """The narrow model."""

    def __post_init__(self) -> None:
        freeze(self, "columns", self.columns)

    def describe(self) -> str:
        return f"Split {self.model} ({', '.join(self.columns)}) into {self.into}"

    def state_forwards(self, plan: PlanKey, state: ProjectState) -> ProjectState:
        wide, narrow = state.schema.with_table(self.model), state.schema.with_table(self.into)
        for label in (self.model, self.into):
            if split := state.split_of(label):
                raise PlanError(f'"{label}" is split with plan "{split.plan}" already; one split at a time')
            if moved := state.move_of(label):
                raise PlanError(f'table of "{label}" has moved with plan "{moved.plan}"; split it before')
        self._check_columns(wide, narrow)
        entry = Split(plan=plan.name, model=self.model, columns=self.columns, into=self.into)
        return replace(state, splits=(*state.splits, entry))

    def effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        with connected(world, after) as shapes:
            for refusal in shapes.split_refusals():
                yield f"-- would be refused now: {refusal}"
            yield f"-- {MONOLITH}: keep both equal"
            yield from shown(shapes.expand())
            yield f"-- {MONOLITH}: fill {shapes.narrow} from {shapes.wide} in ranges of its key, then compare both"

    def undo_effects(self, world: World, before: ProjectState, after: ProjectState) -> Iterator[str]:
        with connected(world, after) as shapes:
            yield f"-- {MONOLITH}: keep both equal no longer, and empty {shapes.narrow}"
            yield from shown(shapes.part())

    def forwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        with connected(world, after) as shapes:
            refuse(shapes.split_refusals())
            if not shapes.expanded():
                run(world, after, lambda shapes: shapes.expand())
            world.emit("step", step="both shapes are kept equal")
            shapes.backfill()
            shapes.check_equal()
            world.emit("step", step="filled and equal")

    def backwards(self, world: World, before: ProjectState, after: ProjectState) -> None:
        run(world, after, lambda shapes: shapes.part())
        world.emit("step", step="both shapes are kept equal no longer")

    def _check_columns(self, wide: Model, narrow: Model) -> None:
        keys = [[field.column for field in model.fields if field.primary_key] for model in (wide, narrow)]
        for model, key in zip((wide, narrow), keys, strict=True):
            if len(key) != 1:
                raise PlanError(f'the key of "{model.label}" has {len(key)} columns; only one column can be followed')
        # That the wide one has the columns the database says: code of the new shape has them no more.
        if keys[0][0] in self.columns:
            raise PlanError(f'"{keys[0][0]}" is the key of "{wide.label}", which both tables have anyway; leave it out')
        wanted, given = {keys[1][0], *self.columns}, {field.column for field in narrow.fields}
        if not self.columns or len(set(self.columns)) < len(self.columns) or wanted != given:
            raise PlanError(
                f'"{narrow.label}" must have its key and just the columns that are split, each once; its key is '
                f'"{keys[1][0]}", and it has {", ".join(sorted(given))}'
            )


@contextmanager
def connected(world: World, state: ProjectState) -> Iterator[Shapes]:
    """Both tables of the split that comes last in the state, as the monolith's database has them."""
    with world.databases.connect(MONOLITH) as store:
        yield _shapes(store, state)


def run(world: World, state: ProjectState, statements: Callable[[Shapes], Iterator[str]]) -> None:
    """Run statements that lock both tables, as soon as nobody else holds them."""
    world.databases.patiently(MONOLITH, lambda store: store.run(list(statements(_shapes(store, state)))), PATIENCE)


def refuse(reasons: Iterator[str]) -> None:
    """Raises PlanError with all reasons, if there are any."""
    if found := list(reasons):
        raise PlanError("; ".join(found))


def shown(statements: Iterator[str]) -> Iterator[str]:
    """Statements as a dry run prints them."""
    yield from (f"{statement};" for statement in statements)


def _shapes(store: Store, state: ProjectState) -> Shapes:
    split = state.splits[-1]
    wide, narrow = state.tables((split.model, split.into))
    return store.two_shapes(wide, narrow, split.columns)
