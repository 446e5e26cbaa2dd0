"""The ownership rows: who owns a move's tables. Read as a picture, changed by compare-and-set."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from strangler.split.errors import SplitError, TwoOwners
from strangler.split.spec import Side
from strangler.split.store import Compared, SequenceFloor, Store

WAY_OUT = 'stop all writers to its tables; docs/protocol.md ("A database from a backup") says how to go on'


@dataclass(frozen=True, kw_only=True)
class Ownership:
    """One database's ownership row."""

    side: Side
    epoch: int
    owns: bool
    term: int
    done: bool
    peer_epoch: int = 0


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Both rows, read twice with unchanged epochs."""

    source: Ownership
    target: Ownership

    def of(self, side: Side) -> Ownership:
        return self.source if side is Side.SOURCE else self.target

    def replaced(self, row: Ownership) -> Picture:
        """This picture with one row as it is known to be now."""
        return replace(self, source=row) if row.side is Side.SOURCE else replace(self, target=row)

    @property
    def owner(self) -> Side | None:
        """Who owns; None while a switch is under way or after one that died."""
        if self.source.owns:
            return Side.SOURCE
        return Side.TARGET if self.target.owns else None

    @property
    def last_owner(self) -> Side:
        """Who owns or, where nobody does, who owned last."""
        return self.owner or (Side.SOURCE if self.source.term > self.target.term else Side.TARGET)

    @property
    def term(self) -> int:
        return max(self.source.term, self.target.term)

    @property
    def done(self) -> bool:
        return self.target.done

    def __str__(self) -> str:
        who = f"the {self.owner} owns" if self.owner else f"nobody owns, the {self.last_owner} did last"
        return f"{who} (term {self.term}, epochs {self.source.epoch} and {self.target.epoch})"


def read_ownership(store: Store, move: str) -> Ownership | None:
    """This database's row, or None where the move is not set up here. This is a read-only operation."""
    if not store.has_tables():
        return None
    rows = store.query(
        "SELECT side, epoch, owns, term, done, peer_epoch FROM strangler.ownership WHERE move = %s", (move,)
    )
    if not rows:
        return None
    side, epoch, owns, term, done, peer_epoch = rows[0]
    return Ownership(side=Side(side), epoch=epoch, owns=bool(owns), term=term, done=bool(done), peer_epoch=peer_epoch)


def take_picture(source: Store, target: Store, move: str, *, seconds: float = 5.0) -> Picture:
    """Both rows as they stood together. This is a read-only operation.

    Raises TwoOwners if both own, or if a database is older than the other one remembers it.
    """
    deadline = time.monotonic() + seconds
    before = _read_both(source, target, move)
    while True:
        picture = _read_both(source, target, move)
        if (picture.source.epoch, picture.target.epoch) == (before.source.epoch, before.target.epoch):
            break
        if time.monotonic() > deadline:
            raise SplitError(f'the ownership of move "{move}" keeps changing; another executor is at work, try later')
        before = picture
    refuse_impossible(picture, move)
    return picture


def refuse_impossible(picture: Picture, move: str, *, lost: Side | None = None) -> None:
    """Raise TwoOwners if both own, or if a side is older than the other one remembers it. Pure.

    "lost" may be older as long as the other side owns: all that is in it is given up.
    """
    if picture.source.owns and picture.target.owns:
        raise TwoOwners(
            f'both databases say that they own move "{move}" ({picture}): one of them was restored from a backup; '
            f"{WAY_OUT}"
        )
    for mine, peer in ((picture.source, picture.target), (picture.target, picture.source)):
        if mine.epoch < peer.peer_epoch and not (mine.side is lost and peer.owns):
            raise TwoOwners(
                f'the {mine.side} database is at epoch {mine.epoch} of move "{move}", but was seen at '
                f"{peer.peer_epoch}: it was restored from a backup, or promoted without its last commits; {WAY_OUT}"
            )


def remember_peers(source: Store, target: Store, move: str, picture: Picture) -> None:
    """Note in each database how far the other one is, so that a restored backup is recognised."""
    for store, side in ((source, Side.SOURCE), (target, Side.TARGET)):
        seen = picture.of(side.other).epoch
        if picture.of(side).peer_epoch >= seen:
            continue
        store.execute(
            "UPDATE strangler.ownership SET peer_epoch = %s WHERE move = %s AND epoch = %s AND peer_epoch < %s",
            (seen, move, picture.of(side).epoch, seen),
        )


def compare_and_set(
    store: Store,
    move: str,
    seen: Ownership,
    *,
    owns: bool,
    term: int | None = None,
    done: bool | None = None,
    sequences: Sequence[SequenceFloor] = (),
    compared: Compared | None = None,
) -> Ownership:
    """Change the row, and with it the fences and sequences, if it still has the epoch that was seen.

    Raises what Store.set_owner raises.
    """
    new_term = seen.term if term is None else term
    new_done = seen.done if done is None else done
    store.set_owner(move, seen.epoch, owns=owns, term=new_term, done=new_done, sequences=sequences, compared=compared)
    return Ownership(
        side=seen.side,
        epoch=seen.epoch + 1,
        owns=owns,
        term=new_term,
        done=new_done,
        peer_epoch=seen.peer_epoch,
    )


def _read_both(source: Store, target: Store, move: str) -> Picture:
    rows = (read_ownership(source, move), read_ownership(target, move))
    if rows[0] is None or rows[1] is None:
        where = "source" if rows[0] is None else "target"
        raise SplitError(f'move "{move}" is not set up in the {where} database; create it first')
    if (rows[0].side, rows[1].side) != (Side.SOURCE, Side.TARGET):
        raise SplitError(f'the databases of move "{move}" are swapped; correct the two DSNs')
    return Picture(source=rows[0], target=rows[1])
