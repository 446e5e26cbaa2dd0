"""What is known of a move at one moment. Everything here only reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from strangler.split import gates
from strangler.split.checkpoint import checkpoint, pending
from strangler.split.copying import copied
from strangler.split.database import Connection, scalar
from strangler.split.layout import read_layout
from strangler.split.limits import Limits
from strangler.split.ownership import Picture, take_picture
from strangler.split.spec import MoveSpec, Side


@dataclass(frozen=True, kw_only=True)
class Routing:
    """What the routes of a move follow from: its owner and the canary's weight."""

    owner: Side
    term: int
    n: int
    weight: int  # share of the reads (0-10000) that goes to the side that does not own


@dataclass(frozen=True, kw_only=True)
class MoveStatus:
    """A move at one moment; None for what cannot be known before it is created."""

    move: str
    picture: Picture | None
    routing: Routing | None
    copied: bool
    pending: Mapping[Side, int]  # changes that wait to be applied, by the side where they were made
    lag_seconds: Mapping[Side, float | None]  # age of the last heartbeat that arrived, by the side it came from
    verified_at: str | None
    differences: int | None
    refusals: tuple[str, ...]  # why a switch to the other side would be refused now

    @property
    def can_switch(self) -> bool:
        return self.picture is not None and self.picture.owner is not None and not self.refusals


def not_created(move: str) -> MoveStatus:
    """The status of a move that is only planned."""
    return MoveStatus(
        move=move,
        picture=None,
        routing=None,
        copied=False,
        pending={},
        lag_seconds={},
        verified_at=None,
        differences=None,
        refusals=("the move is not created",),
    )


def read_status(spec: MoveSpec, source: Connection, target: Connection) -> MoveStatus:
    """The status of a move that is set up in both databases."""
    picture = take_picture(source, target, spec.name)
    side = {Side.SOURCE: source, Side.TARGET: target}
    verified = (
        side[picture.last_owner]
        .execute("SELECT verified_at::text, differences FROM strangler.verifications WHERE move = %s", (spec.name,))
        .fetchone()
    )
    return MoveStatus(
        move=spec.name,
        picture=picture,
        routing=read_routing(spec.name, source, target),
        copied=copied(target, spec.name),
        pending={origin: _pending(side[origin], side[origin.other], spec.name) for origin in Side},
        lag_seconds={origin: _heartbeat_age(side[origin], side[origin.other], spec.name, origin) for origin in Side},
        verified_at=verified[0] if verified else None,
        differences=verified[1] if verified else None,
        refusals=_refusals(spec, source, target, picture),
    )


def read_routing(move: str, source: Connection, target: Connection) -> Routing:
    """Owner, version and weight as persisted."""
    picture = take_picture(source, target, move)
    row = source.execute(
        "SELECT n, weight FROM strangler.routing WHERE move = %s AND term = %s", (move, picture.term)
    ).fetchone()
    n, weight = row or (0, 0)  # a new owner starts without a canary
    return Routing(owner=picture.last_owner, term=picture.term, n=n, weight=weight)


def _refusals(spec: MoveSpec, source: Connection, target: Connection, picture: Picture) -> tuple[str, ...]:
    if picture.owner is None:
        return ("nobody owns: a switch is under way or died; recover the move",)
    layout = read_layout(spec, source, target)
    gate = gates.Gate(spec=spec, layout=layout, source=source, target=target, picture=picture, limits=Limits())
    return tuple(gates.refusals(gate, picture.owner.other))


def _pending(sender: Connection, receiver: Connection, move: str) -> int:
    at = checkpoint(receiver, move)
    return 0 if at is None else pending(sender, move, at)


def _heartbeat_age(sender: Connection, receiver: Connection, move: str, origin: Side) -> float | None:
    beat_at = scalar(
        receiver,
        "SELECT beat_at FROM strangler.heartbeats WHERE move = %s AND side = %s",
        (move, origin.value),
    )
    if beat_at is None:
        return None
    # Both times are the sender's clock's.
    return float(scalar(sender, "SELECT extract(epoch FROM clock_timestamp() - %s)", (beat_at,)))
