"""A move's tables as both databases have them, checked to be alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from strangler.split import rules
from strangler.split.errors import Refused
from strangler.split.mapping import map_columns
from strangler.split.spec import MoveSpec, Side
from strangler.split.store import Claim, Store
from strangler.split.table import Column, Family, Table


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
            Claim(
                table=pair.of(side),
                moved=pair.moved,
                bounded=side is Side.TARGET and pair.target.where is not None,
            )
            for pair in self.pairs
            if pair.moved or side is Side.TARGET
        )


def read_layout(spec: MoveSpec, source: Store, target: Store) -> Layout:
    """Look the move's tables up in both catalogs. This is a read-only operation.

    Raises Refused where a table differs between the two, or a type has no equal in the other engine, SplitError where
    a table is missing.
    """
    engines = (source.engine, target.engine)
    if spec.where and source.engine != target.engine:
        raise Refused(
            f'{source.engine} and {target.engine} may read the condition of "{next(iter(spec.where))}" otherwise; move '
            "whole tables between them, or keep both sides on one engine"
        )
    wanted: list[tuple[str, tuple[str, ...] | None, bool]]
    wanted = [(replica.table, replica.columns, False) for replica in spec.replicated]
    wanted += [(name, None, True) for name in spec.moved]

    def described(store: Store, name: str, columns: tuple[str, ...] | None) -> Table:
        table, where = store.describe(name, columns), spec.where.get(name)
        return table if where is None else store.only(table, where)

    return Layout(
        pairs=tuple(
            _paired(described(source, name, columns), described(target, name, columns), engines, moved=moved)
            for name, columns, moved in wanted
        )
    )


def unlike_rules(layout: Layout, source: Store, target: Store) -> tuple[list[str], list[str]]:
    """(why the tables may not be moved, what the target goes without), sentences. This is a read-only operation.

    Between different engines only what their rules have common words for.
    """
    mine = list(source.rules([pair.source for pair in layout.pairs]))
    theirs = list(target.rules([pair.target for pair in layout.pairs]))
    if source.engine != target.engine:
        mine, theirs = rules.between_engines(mine), rules.between_engines(theirs)
    moved = [pair.name for pair in layout.moved]
    return list(rules.refusals(mine, theirs, moved=moved)), list(rules.warnings(mine, theirs, moved=moved))


def _paired(source: Table, target: Table, engines: tuple[str, str], *, moved: bool) -> Pair:
    if engines[0] != engines[1]:
        source, target = _mapped(source, target, engines)
    else:
        _refuse_missing(source, set(map(str, source.columns)), set(map(str, target.columns)))
        target = replace(target, columns=source.columns)
    if [column.name for column in source.key] != [column.name for column in target.key]:
        raise Refused(f'table "{source}" has another primary key in the target; migrate one of them')
    return Pair(moved=moved, source=source, target=target)


def _mapped(source: Table, target: Table, engines: tuple[str, str]) -> tuple[Table, Table]:
    """Tables of different engines with the families that both shall use, in the source's order."""
    theirs = {column.name: column for column in target.columns}
    _refuse_missing(source, {column.name for column in source.columns}, set(theirs))
    mapped: dict[str, tuple[Column, Column]] = {}
    for column in source.columns:
        try:
            mapped[column.name] = map_columns(column, theirs[column.name], engines)
        except ValueError as error:
            raise Refused(f'column "{column.name}" of table "{source}" cannot be moved: {error}') from error
    for column in source.key:
        if (family := mapped[column.name][0].family) in (Family.FLOAT, Family.JSON):
            raise Refused(
                f'the key column "{column.name}" of table "{source}" holds {family} values, which are not written '
                "alike by all engines; give it a key of numbers, texts, bytes or dates"
            )
    return (
        replace(
            source,
            columns=tuple(pair[0] for pair in mapped.values()),
            key=tuple(mapped[column.name][0] for column in source.key),
        ),
        replace(
            target,
            columns=tuple(pair[1] for pair in mapped.values()),
            key=tuple(mapped[column.name][1] for column in target.key),
        ),
    )


def _refuse_missing(source: Table, mine: set[str], theirs: set[str]) -> None:
    if mine != theirs:
        raise Refused(
            f'table "{source}" differs: only the source has {_listed(mine - theirs)}, only the target has '
            f"{_listed(theirs - mine)}; migrate one of them"
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in sorted(names)) or "nothing"
