"""A move's tables as both databases have them, checked to be alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from strangler.split.database import Column, Connection, Table, describe_table
from strangler.split.errors import Refused
from strangler.split.spec import MoveSpec, Side

_BEAT = tuple(
    Column(name=name, type=type_)
    for name, type_ in (("move", "text"), ("side", "text"), ("beat", "bigint"), ("beat_at", "timestamptz"))
)
HEARTBEATS = Table(relation="strangler.heartbeats", columns=_BEAT, key=_BEAT[:2])


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The tables of a move, in the order in which they are copied and locked."""

    moved: tuple[Table, ...]
    replicated: tuple[Table, ...]

    def carried_from(self, side: Side) -> tuple[Table, ...]:
        """The tables whose changes on that side are followed on the other one."""
        replicated = self.replicated if side is Side.SOURCE else ()
        return (*replicated, *self.moved, HEARTBEATS)

    @property
    def copied(self) -> tuple[Table, ...]:
        return (*self.replicated, *self.moved)


def read_layout(spec: MoveSpec, source: Connection, target: Connection) -> Layout:
    """Look the move's tables up in both catalogs. This is a read-only operation.

    Raises Refused where a table differs between the two, SplitError where one is missing.
    """
    return Layout(
        moved=tuple(_alike(describe_table(source, name), describe_table(target, name)) for name in spec.moved),
        replicated=tuple(
            _alike(
                describe_table(source, replica.table, replica.columns),
                describe_table(target, replica.table, replica.columns),
            )
            for replica in spec.replicated
        ),
    )


def _alike(source: Table, target: Table) -> Table:
    mine, theirs = {str(column) for column in source.columns}, {str(column) for column in target.columns}
    if mine != theirs:
        raise Refused(
            f'table "{source}" differs: only the source has {_listed(mine - theirs)}, only the target has '
            f"{_listed(theirs - mine)}; migrate one of them"
        )
    if source.key != target.key:
        raise Refused(f'table "{source}" has another primary key in the target; migrate one of them')
    if source.relation != target.relation:
        raise Refused(f'table "{source}" is "{target}" in the target; put it into the same schema')
    return source


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in sorted(names)) or "nothing"
