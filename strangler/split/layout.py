"""A move's tables as both databases have them, checked to be alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from strangler.split.errors import Refused
from strangler.split.spec import MoveSpec, Side
from strangler.split.store import Claim, Store
from strangler.split.table import Table


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One table on both sides, its columns in the same order."""

    moved: bool  # or replicated
    source: Table
    target: Table

    @property
    def name(self) -> str:
        return self.source.name

    def of(self, side: Side) -> Table:
        return self.source if side is Side.SOURCE else self.target


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The tables of a move, in the order in which they are copied and locked."""

    pairs: tuple[Pair, ...]

    def carried_from(self, side: Side) -> tuple[Pair, ...]:
        """The tables whose changes on that side are followed on the other one."""
        return self.pairs if side is Side.SOURCE else self.moved

    @property
    def moved(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.pairs if pair.moved)

    def moved_tables(self, side: Side) -> tuple[Table, ...]:
        return tuple(pair.of(side) for pair in self.moved)

    def captured(self, side: Side) -> tuple[Table, ...]:
        return tuple(pair.of(side) for pair in self.carried_from(side))

    def claims(self, side: Side) -> tuple[Claim, ...]:
        """What is fenced there: the source's replicated tables stay ordinary ones, and may go to several services."""
        return tuple(
            Claim(table=pair.of(side), moved=pair.moved) for pair in self.pairs if pair.moved or side is Side.TARGET
        )


def read_layout(spec: MoveSpec, source: Store, target: Store) -> Layout:
    """Look the move's tables up in both catalogs. This is a read-only operation.

    Raises Refused where a table differs between the two, SplitError where one is missing.
    """
    wanted: list[tuple[str, tuple[str, ...] | None, bool]]
    wanted = [(replica.table, replica.columns, False) for replica in spec.replicated]
    wanted += [(name, None, True) for name in spec.moved]
    return Layout(
        pairs=tuple(
            _alike(source.describe(name, columns), target.describe(name, columns), moved=moved)
            for name, columns, moved in wanted
        )
    )


def _alike(source: Table, target: Table, *, moved: bool) -> Pair:
    mine, theirs = {str(column) for column in source.columns}, {str(column) for column in target.columns}
    if mine != theirs:
        raise Refused(
            f'table "{source}" differs: only the source has {_listed(mine - theirs)}, only the target has '
            f"{_listed(theirs - mine)}; migrate one of them"
        )
    if source.key != target.key:
        raise Refused(f'table "{source}" has another primary key in the target; migrate one of them')
    return Pair(moved=moved, source=source, target=replace(target, columns=source.columns))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in sorted(names)) or "nothing"
