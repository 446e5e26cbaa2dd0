"""One direction of a move: the sender's log, and the receiver's count of batches.

What is in the log goes when it has been applied, and not before. The receiver's batch number changes only in the
transaction that holds the rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from strangler.split.errors import Gap, SplitError
from strangler.split.layout import Layout
from strangler.split.log import HEARTBEAT, Log
from strangler.split.ownership import WAY_OUT
from strangler.split.spec import Side
from strangler.split.store import Store
from strangler.split.table import Key


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Both ends of one direction. "receiver" is a connection of the applier's role, used by nothing else."""

    move: str
    origin: Side
    layout: Layout
    shape: str  # of the sender's tables
    sender: Store
    log: Log  # over the sender's connection
    receiver: Store

    def __str__(self) -> str:
        return _called(self.move, self.origin)


def log_end(sender: Store, move: str) -> int:
    """See Log.end."""
    return sender.log(move).end()


def lock_batch(stream: Stream) -> int:
    """The receiver's batch number, locked until the end of its transaction: appliers take turns."""
    batch = stream.receiver.scalar("SELECT batch FROM strangler.streams WHERE move = %s FOR UPDATE", (stream.move,))
    if batch is None:
        raise Gap(_lost_checkpoint(str(stream)))
    return int(batch)


def reconcile(stream: Stream, batch: int) -> None:
    """See that both ends know the same batches; note one whose acknowledgement was lost.

    Raises Gap where one of them was set back in time, or the capture was stopped.
    """
    acknowledged = stream.sender.scalar("SELECT acknowledged FROM strangler.streams WHERE move = %s", (stream.move,))
    if acknowledged is None:
        raise Gap(_lost_log(str(stream)))
    if stopped := stream.log.stopped():
        raise Gap(
            f"the capture of {stream} was stopped: {stopped}; changes are missing since, so cancel the move and create "
            "it again with a larger limit, or with an applier that keeps up"
        )
    if contradicted := contradiction(stream.move, stream.origin, batch, acknowledged):
        raise Gap(contradicted[1])
    if batch == acknowledged + 1:
        stream.sender.acknowledge(stream.move, batch, ())


def contradiction(move: str, origin: Side, batch: int | None, acknowledged: int | None) -> tuple[Side, str] | None:
    """Which side of a direction was set back in time, and a sentence; None where both ends know the same. Pure.

    "batch" is what the receiver has applied, "acknowledged" what the sender knows of it; None is a lost row.
    """
    what = _called(move, origin)
    if batch is None:
        return origin.other, _lost_checkpoint(what)
    if acknowledged is None:
        return origin, _lost_log(what)
    if batch < acknowledged:
        return origin.other, (
            f"{what}: batch {acknowledged} was applied, but the {origin.other} knows {batch} only: it was set back in "
            f"time, and the changes between are gone there; {WAY_OUT}"
        )
    if batch > acknowledged + 1:
        return origin, (
            f"{what}: batch {batch} was applied, but the {origin} knows {acknowledged} only: it was set back in time, "
            f"and the {origin.other} may have rows that it has lost; {WAY_OUT}"
        )
    return None


def send_beat(sender: Store, move: str) -> int:
    """Put the next heartbeat into the log; its number."""
    with sender.transaction():
        sender.execute("UPDATE strangler.streams SET beat = beat + 1 WHERE move = %s", (move,))
        beat = sender.scalar("SELECT beat FROM strangler.streams WHERE move = %s", (move,))
        if beat is None:
            raise SplitError(f'move "{move}" is not set up in the {sender.name} database; create it first')
        sender.log(move).put(HEARTBEAT, (str(beat), repr(sender.now())))
    return int(beat)


def log_again(sender: Store, move: str, name: str, keys: Iterable[Key]) -> None:
    """Put keys of a table into the log as if their rows had changed; the applier reads these as they are then."""
    with sender.transaction():
        log = sender.log(move)
        for key in keys:
            log.put(name, key)


def beat_seen(receiver: Store, move: str) -> tuple[int, float | None]:
    """(number, time by the sender's clock) of the last heartbeat that arrived. This is a read-only operation."""
    rows = receiver.query("SELECT beat_seen, beat_seen_at FROM strangler.streams WHERE move = %s", (move,))
    return (int(rows[0][0]), rows[0][1]) if rows else (0, None)


def _called(move: str, origin: Side) -> str:
    return f"{move} from the {origin} to the {origin.other}"


def _lost_checkpoint(what: str) -> str:
    return (
        f"the checkpoint of {what} is lost, so it is not known which changes were applied; "
        "cancel the move and create it again, which copies anew"
    )


def _lost_log(what: str) -> str:
    return f"the log of {what} is lost; cancel the move and create it again, which copies anew"
