"""The ordinary applier: follows one database's log of changes and brings the other one up to it.

There is one catch-up path with one watermark. A batch is the keys of some settled changes; their rows are read
again as they are now, in one snapshot, so that applying a batch twice, or late, changes nothing.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import psycopg
from psycopg import IsolationLevel, sql

from strangler.split.checkpoint import Position
from strangler.split.copying import pipe
from strangler.split.database import Connection, Table
from strangler.split.errors import Gap, SplitError
from strangler.split.layout import HEARTBEATS, Layout
from strangler.split.spec import Side

BATCH = 5_000
"""Changes in a batch; larger ones make the lag uneven, smaller ones cost round trips."""
_WHOLE_LOG = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One direction of a move. "receiver" is a connection of the applier's role, used by nothing else."""

    move: str
    origin: Side
    layout: Layout
    sender: Connection
    receiver: Connection

    def __str__(self) -> str:
        return f"{self.move} from the {self.origin} to the {self.origin.other}"


@dataclass(frozen=True, kw_only=True)
class _Change:
    xid: int
    seq: int
    relation: str
    key: list[object] | None  # None: TRUNCATE


def apply_once(stream: Stream) -> int:
    """Apply one batch and move the checkpoint, in one durable transaction; the number of changes applied.

    Several appliers may run at once: the checkpoint's row makes them take turns.
    Raises Gap where the log does not reach back to the checkpoint, SplitError on rows of a rogue writer.
    """
    try:
        return _apply(stream, BATCH, beyond_watermark=False)
    except psycopg.errors.UniqueViolation:
        # A value that moved from one row to another, one of them behind the watermark or the batch's end. All that
        # is visible in one snapshot fits together; the checkpoint still goes only as far as the watermark.
        return _apply(stream, _WHOLE_LOG, beyond_watermark=True)


def catch_up(stream: Stream, goal: Position, deadline: float) -> None:
    """Apply until the checkpoint has reached "goal"; "deadline" is a time.monotonic().

    Raises SplitError when that takes too long: a writing transaction that is older than the goal holds it up.
    """
    while True:
        applied = apply_once(stream)
        at = _checkpoint(stream, lock=False)
        if at >= goal:
            return
        if time.monotonic() > deadline:
            raise SplitError(
                f"{stream} has come to {at} of {goal} and not further in time; look for an old writing transaction "
                "in pg_stat_activity, or allow more time"
            )
        if not applied:
            time.sleep(0.002)


def _apply(stream: Stream, limit: int, *, beyond_watermark: bool) -> int:
    with stream.receiver.transaction():
        # Locks in the protocol's order: ownership row, checkpoint, tables.
        owner = stream.receiver.execute(
            "SELECT owns FROM strangler.ownership WHERE move = %s FOR SHARE", (stream.move,)
        ).fetchone()
        since = _checkpoint(stream, lock=True)
        with _snapshot(stream.sender):
            _refuse_gap(stream, since)
            settled, changes = _read_log(stream, since, limit, beyond_watermark=beyond_watermark)
            if not settled:
                return 0
            if owner != (False,) and any(change.relation != HEARTBEATS.relation for change in changes):
                moved = {table.relation for table in stream.layout.moved}
                if any(change.relation in moved for change in changes):
                    raise SplitError(
                        f"{stream} brings rows of moved tables to a side that owns them: somebody wrote past the "
                        f"fence of the {stream.origin}; compare both sides before going on"
                    )
            _bring(stream, changes)
        last = settled[-1]
        stream.receiver.execute(
            "UPDATE strangler.checkpoints SET xid = %s::text::xid8, seq = %s, applied_at = clock_timestamp() "
            "WHERE move = %s",
            (str(last.xid), last.seq, stream.move),
        )
    return len(settled)


def _snapshot(connection: Connection) -> AbstractContextManager[psycopg.Transaction]:
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return connection.transaction()


def _checkpoint(stream: Stream, *, lock: bool) -> Position:
    query = "SELECT xid::text::bigint, seq FROM strangler.checkpoints WHERE move = %s"
    row = stream.receiver.execute(query + (" FOR UPDATE" if lock else ""), (stream.move,)).fetchone()
    if row is None:
        raise Gap(
            f"the checkpoint of {stream} is lost, so it is not known which changes were applied; "
            "cancel the move and create it again, which copies anew"
        )
    return Position(xid=row[0], seq=row[1])


def _refuse_gap(stream: Stream, since: Position) -> None:
    row = stream.sender.execute(
        "SELECT xid::text::bigint, seq FROM strangler.pruned WHERE move = %s", (stream.move,)
    ).fetchone()
    if row is not None and Position(xid=row[0], seq=row[1]) > since:
        raise Gap(
            f"the log of {stream} begins behind the checkpoint {since}: the {stream.origin.other} was set back in "
            "time; cancel the move and create it again, which copies anew"
        )


def _read_log(
    stream: Stream, since: Position, limit: int, *, beyond_watermark: bool
) -> tuple[list[_Change], list[_Change]]:
    """(the settled changes behind "since", all changes to be brought); settled is: no older one can still appear."""
    rows = stream.sender.execute(
        """SELECT xid::text::bigint, seq, relation, key, xid < pg_snapshot_xmin(pg_current_snapshot())
           FROM strangler.changes WHERE move = %s AND (xid, seq) > (%s::text::xid8, %s)
           ORDER BY xid, seq LIMIT %s""",
        (stream.move, str(since.xid), since.seq, limit),
    ).fetchall()
    changes = [_Change(xid=row[0], seq=row[1], relation=row[2], key=row[3]) for row in rows]
    settled = [change for change, row in zip(changes, rows, strict=True) if row[4]]
    return settled, changes if beyond_watermark else settled


def _bring(stream: Stream, changes: Iterable[_Change]) -> None:
    """Make the receiver's rows of the changed keys what the sender's are in the current snapshot."""
    keys: dict[str, list[list[object]]] = defaultdict(list)
    emptied = set()
    for change in changes:
        if change.key is None:
            emptied.add(change.relation)
        else:
            keys[change.relation].append(change.key)
    tables = [
        table
        for table in stream.layout.carried_from(stream.origin)
        if table.relation in keys or table.relation in emptied
    ]
    # First all that goes, then all that comes: a unique value may have moved from one row to another.
    for table in tables:
        stream.receiver.execute(_delete(table, keys[table.relation], everything=table.relation in emptied))
    for table in tables:
        pipe(
            stream.sender,
            stream.receiver,
            _select(table, keys[table.relation], everything=table.relation in emptied),
            table,
        )


def _delete(table: Table, keys: list[list[object]], *, everything: bool) -> sql.Composed:
    if everything:
        return sql.SQL("DELETE FROM {}").format(table.identifier)
    return sql.SQL("DELETE FROM {} t USING {} WHERE {}").format(
        table.identifier, table.keys_from_json(json.dumps(keys)), table.key_matches("t")
    )


def _select(table: Table, keys: list[list[object]], *, everything: bool) -> sql.Composed:
    columns = table.qualified("t", table.columns)
    if everything:
        return sql.SQL("COPY (SELECT {} FROM {} t) TO STDOUT (FORMAT BINARY)").format(columns, table.identifier)
    return sql.SQL("COPY (SELECT {} FROM {} t JOIN {} ON {}) TO STDOUT (FORMAT BINARY)").format(
        columns, table.identifier, table.keys_from_json(json.dumps(keys)), table.key_matches("t")
    )
