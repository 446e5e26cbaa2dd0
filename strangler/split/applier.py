"""The ordinary applier: takes changes from one database's log and brings the other one up to them.

A batch is the keys of some changes; their rows are read again as they are now, in the snapshot that showed the
changes, so that applying a batch twice, or late, changes nothing.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence

from strangler.split.errors import SplitError, UniqueClash
from strangler.split.exchange import agreed_keys, transfer
from strangler.split.layout import Pair
from strangler.split.log import HEARTBEAT, Change
from strangler.split.stream import Stream, lock_batch, reconcile
from strangler.split.table import EVERYTHING, Key, KeyRange, Selection, key_to_text

BATCH = 5_000
"""Changes in a batch; larger ones make the lag uneven, smaller ones cost round trips."""
_WHOLE_LOG = 10_000_000
WHOLE_TABLE = ""
"""Stands for all keys of a table among the unverified ones."""


def apply_once(stream: Stream) -> int:
    """Apply one batch in one durable transaction, then forget its changes; the number of changes applied.

    Several appliers may run at once: the row with the batch number makes them take turns.
    Raises Gap where changes are missing, SplitError on rows of a rogue writer or tables that were changed.
    """
    try:
        return _apply(stream, BATCH)
    except UniqueClash:
        # A value that moved from one row to another, one of them behind the batch's end. All that is visible in
        # one snapshot fits together.
        return _apply(stream, _WHOLE_LOG)


def catch_up(stream: Stream, goal: int, deadline: float) -> None:
    """Apply until no change up to "goal" (Log.end) waits, nor is at another applier; "deadline": time.monotonic()."""
    while stream.log.waits(goal):
        if time.monotonic() > deadline:
            raise SplitError(
                f"{stream} still had about {stream.log.pending():,} changes to apply when its time was over; let it "
                "catch up first, or allow more time"
            )
        apply_once(stream)
    # One that got its turn before the last batch was forgotten brings it once more. Whoever comes after it does not.
    with stream.receiver.transaction():
        lock_batch(stream)
    # Also where nothing waits: rows that a table lost or got with a partition are in no log.
    _refuse_changed_tables(stream)


def _apply(stream: Stream, limit: int) -> int:
    with stream.receiver.transaction():
        # Locks in the protocol's order: ownership row, batch number, tables. The snapshot only after them: an
        # applier that waited for its turn must not bring an older picture.
        owns = stream.receiver.scalar("SELECT owns FROM strangler.ownership WHERE move = %s FOR SHARE", (stream.move,))
        batch = lock_batch(stream)
        reconcile(stream, batch)
        with stream.sender.snapshot():
            read = stream.log.read(limit, stream.layout.captured(stream.origin))
            if read.changes:
                _refuse_changed_tables(stream)
                _refuse_at_owner(stream, read.changes, owner=owns is None or bool(owns))
                _bring(stream, read.changes, batch + 1)
        if read.changes:
            batch += 1
            stream.receiver.execute("UPDATE strangler.streams SET batch = %s WHERE move = %s", (batch, stream.move))
    # Only now: what is lost before this is applied once more.
    stream.log.forget(batch, read)
    return len(read.changes)


def _refuse_changed_tables(stream: Stream) -> None:
    shape = stream.sender.shape(stream.layout.captured(stream.origin))
    if shape != stream.shape:
        raise SplitError(
            f"the tables of {stream} were altered; when both sides have the same columns again, following them goes on"
        )


def _refuse_at_owner(stream: Stream, changes: Iterable[Change], *, owner: bool) -> None:
    moved = {pair.name for pair in stream.layout.moved}
    if owner and any(change.name in moved for change in changes):
        raise SplitError(
            f"{stream} brings rows of moved tables to a side that owns them: somebody wrote past the "
            f"fence of the {stream.origin}; compare both sides before going on"
        )


def _bring(stream: Stream, changes: Sequence[Change], batch: int) -> None:
    """Make the receiver's rows of the changed keys what the sender's are in the current snapshot."""
    keys: dict[str, dict[Key, None]] = defaultdict(dict)
    emptied = set()
    for change in changes:
        if change.name == HEARTBEAT:
            _note_beat(stream, change)
        elif change.key is None:
            emptied.add(change.name)
        else:
            keys[change.name][change.key] = None
    selected: list[tuple[Pair, Selection]] = [
        (pair, EVERYTHING if pair.name in emptied else _agreed(stream, pair, keys[pair.name]))
        for pair in stream.layout.carried_from(stream.origin)
        if pair.name in emptied or pair.name in keys
    ]
    # First all that goes, then all that comes: a unique value may have moved from one row to another.
    for pair, selection in selected:
        stream.receiver.delete(pair.of(stream.origin.other), selection)
    for pair, selection in selected:
        transfer(stream.sender, stream.receiver, pair, stream.origin, selection)
    for pair, selection in selected:
        texts = [WHOLE_TABLE] if isinstance(selection, KeyRange) else list(map(key_to_text, selection))
        stream.receiver.note_unverified(stream.move, pair.name, texts, batch)


def _agreed(stream: Stream, pair: Pair, keys: Iterable[Key]) -> tuple[Key, ...]:
    return agreed_keys(stream.sender, stream.receiver, pair.of(stream.origin), keys)


def _note_beat(stream: Stream, change: Change) -> None:
    assert change.key is not None  # heartbeats have one
    beat, at = change.key
    stream.receiver.execute(
        "UPDATE strangler.streams SET beat_seen = %s, beat_seen_at = %s WHERE move = %s AND beat_seen < %s",
        (int(beat), float(at), stream.move, int(beat)),
    )
