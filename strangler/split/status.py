"""What is known of a move at one moment. Everything here only reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from strangler.split import gates
from strangler.split.copying import copied
from strangler.split.layout import Layout, read_layout
from strangler.split.limits import Limits
from strangler.split.ownership import Picture, take_picture
from strangler.split.spec import MoveSpec, Side
from strangler.split.store import Store
from strangler.split.stream import beat_seen


@dataclass(frozen=True, kw_only=True)
class Routing:
    """What the routes of a move follow from: its owner and the canary's weight."""

    owner: Side
    term: int
    n: int
    weight: int  # share of the reads (0-10000) that goes to the side that does not own
    shadow: int = 0  # share of the others (0-10000) that is sent there as well, and only compared
    early: bool = False  # whether the clients who come before all others are there, too
    final: bool = False  # the move is complete: the owner owns for good


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
    broken: bool = False  # the databases contradict each other: nobody can say who owns

    @property
    def can_switch(self) -> bool:
        return self.picture is not None and self.picture.owner is not None and not self.refusals


def unknown(move: str, why: str, *, broken: bool = False) -> MoveStatus:
    """The status of a move that is only planned or, if "broken", of one of which nothing can be said any more."""
    return MoveStatus(
        move=move,
        picture=None,
        routing=None,
        copied=False,
        pending={},
        lag_seconds={},
        verified_at=None,
        differences=None,
        refusals=(why,),
        broken=broken,
    )


def read_status(spec: MoveSpec, source: Store, target: Store) -> MoveStatus:
    """The status of a move that is set up in both databases."""
    picture = take_picture(source, target, spec.name)
    layout = read_layout(spec, source, target)
    stores = {Side.SOURCE: source, Side.TARGET: target}
    verified = stores[picture.last_owner].query(
        "SELECT verified_at, differences FROM strangler.verifications WHERE move = %s", (spec.name,)
    )
    return MoveStatus(
        move=spec.name,
        picture=picture,
        routing=read_routing(spec.name, source, target),
        copied=copied(target, spec.name, layout),
        pending={origin: stores[origin].log(spec.name).pending() for origin in Side},
        lag_seconds={origin: _heartbeat_age(stores[origin], stores[origin.other], spec.name) for origin in Side},
        verified_at=_iso(verified[0][0]) if verified else None,
        differences=verified[0][1] if verified else None,
        refusals=_refusals(spec, layout, source, target, picture),
    )


def read_routing(move: str, source: Store, target: Store) -> Routing:
    """Owner, version and weight as persisted."""
    picture = take_picture(source, target, move)
    rows = source.query(
        "SELECT n, weight, shadow, early FROM strangler.routing WHERE move = %s AND term = %s", (move, picture.term)
    )
    n, weight, shadow, early = rows[0] if rows else (0, 0, 0, False)  # a new owner starts without a canary
    if picture.done:
        weight, shadow, early = 0, 0, False  # there is no other side any more, to which a read could go
    return Routing(
        owner=picture.last_owner,
        term=picture.term,
        n=n,
        weight=weight,
        shadow=shadow,
        early=bool(early),
        final=picture.done,
    )


def _refusals(spec: MoveSpec, layout: Layout, source: Store, target: Store, picture: Picture) -> tuple[str, ...]:
    if picture.owner is None:
        return ("nobody owns: a switch is under way or died; recover the move",)
    gate = gates.Gate(spec=spec, layout=layout, source=source, target=target, picture=picture, limits=Limits())
    return tuple(gates.refusals(gate, picture.owner.other))


def _heartbeat_age(sender: Store, receiver: Store, move: str) -> float | None:
    _, at = beat_seen(receiver, move)
    # Both times are the sender's clock's.
    return None if at is None else max(sender.now() - at, 0.0)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ", timespec="seconds")
