"""A database that was set back in time: restored from a backup, or promoted without the last commits.

Both sides remember something of each other: the epoch of its ownership row (`ownership.take_picture`), the batches
that went between them, and that the move was set up there at all. Everything here only reads.
"""

from __future__ import annotations

from strangler.split import installation
from strangler.split.errors import Gap, TwoOwners
from strangler.split.ownership import WAY_OUT, Ownership, Picture, read_ownership, refuse_impossible, take_picture
from strangler.split.spec import Side
from strangler.split.store import Store
from strangler.split.stream import contradiction

_LOOKS = 20


def created(source: Store, target: Store, move: str) -> bool:
    """Whether the move is set up in both databases. Raises TwoOwners where one of them has lost it."""
    here, there = _set_up(source, move), _set_up(target, move)
    # A move is set up at the target first, and taken out there first; nothing is copied before it is on both sides.
    if there and not here and _copied_to(target, move):
        raise TwoOwners(
            f'the source database has lost move "{move}", of which the target holds rows: it was restored from a '
            f"backup or made anew; {WAY_OUT}"
        )
    if here and not there and not here.owns:
        raise TwoOwners(
            f'the target database has lost move "{move}", and the source does not own it: the target was restored from '
            f"a backup or made anew; {WAY_OUT}"
        )
    return bool(here and there)


def half_cancelled(source: Store, target: Store, move: str) -> bool:
    """Whether the source alone has the move, and owns: a cancel died half-way, or the target was made anew."""
    mine = _set_up(source, move)
    return mine is not None and mine.owns and _set_up(target, move) is None


def set_back(source: Store, target: Store, move: str) -> dict[Side, str]:
    """The sides that know of fewer batches than the other one, each with a sentence; of a move that is created."""
    stores = {Side.SOURCE: source, Side.TARGET: target}
    found: dict[Side, str] = {}
    for origin in Side:
        batch, acknowledged = _counts(stores[origin], stores[origin.other], move)
        if contradicted := contradiction(move, origin, batch, acknowledged):
            found.setdefault(*contradicted)
    return found


def refuse_set_back(source: Store, target: Store, move: str) -> None:
    """Raise TwoOwners where the ownership rows contradict each other, and Gap where the batches do."""
    take_picture(source, target, move)
    for sentence in set_back(source, target, move).values():
        raise Gap(sentence)


def refuse_cancel(source: Store, target: Store, move: str) -> None:
    """Raise where a cancel might take away what only the target has. A target that was set back is given up by it."""
    if not created(source, target, move):
        return
    mine, theirs = read_ownership(source, move), read_ownership(target, move)
    assert mine is not None and theirs is not None  # of a move that is created
    refuse_impossible(Picture(source=mine, target=theirs), move, lost=Side.TARGET)
    for side, sentence in set_back(source, target, move).items():
        if side is Side.SOURCE or not mine.owns:
            raise Gap(sentence)


def _copied_to(target: Store, move: str) -> bool:
    began = "SELECT count(*) FROM strangler.copies WHERE move = %s AND (cut OR ranges > 0)"
    return bool(target.scalar(began, (move,)))


def _set_up(store: Store, move: str) -> Ownership | None:
    row = read_ownership(store, move)
    return row if row is not None and installation.installed(store, move) else None


def _counts(sender: Store, receiver: Store, move: str) -> tuple[int | None, int | None]:
    """What the receiver has applied and what the sender knows of it, as they stood together."""
    acknowledged = _acknowledged(sender, move)
    for _ in range(_LOOKS):
        # Nobody begins a batch before the last one is acknowledged: what stood still around this fits to it.
        batch = receiver.scalar("SELECT batch FROM strangler.streams WHERE move = %s", (move,))
        before, acknowledged = acknowledged, _acknowledged(sender, move)
        if before == acknowledged:
            return None if batch is None else int(batch), acknowledged
    return acknowledged, acknowledged  # they go on together, all the time


def _acknowledged(sender: Store, move: str) -> int | None:
    found = sender.scalar("SELECT acknowledged FROM strangler.streams WHERE move = %s", (move,))
    return None if found is None else int(found)
