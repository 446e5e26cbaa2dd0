"""Positions in a trigger log."""

from __future__ import annotations

from dataclasses import dataclass

from strangler.split.database import Connection, scalar


@dataclass(frozen=True, kw_only=True, order=True)
class Position:
    """A place in a database's log of changes: everything up to it and with it."""

    xid: int
    seq: int

    def __str__(self) -> str:
        return f"{self.xid}/{self.seq}"


START = Position(xid=0, seq=0)


def log_end(sender: Connection, move: str) -> Position:
    """The last change that is visible now. This is a read-only operation.

    Read it after the fence has committed, then nothing of the move can come behind it.
    """
    row = sender.execute(
        "SELECT xid::text::bigint, seq FROM strangler.changes WHERE move = %s ORDER BY xid DESC, seq DESC LIMIT 1",
        (move,),
    ).fetchone()
    return START if row is None else Position(xid=row[0], seq=row[1])


def checkpoint(receiver: Connection, move: str) -> Position | None:
    """How far the receiver has applied; None where its checkpoint was lost. This is a read-only operation."""
    row = receiver.execute(
        "SELECT xid::text::bigint, seq FROM strangler.checkpoints WHERE move = %s", (move,)
    ).fetchone()
    return None if row is None else Position(xid=row[0], seq=row[1])


def pending(sender: Connection, move: str, since: Position) -> int:
    """Changes in the log behind "since". This is a read-only operation."""
    return int(
        scalar(
            sender,
            "SELECT count(*) FROM strangler.changes WHERE move = %s AND (xid, seq) > (%s::text::xid8, %s)",
            (move, str(since.xid), since.seq),
        )
    )


def prune(sender: Connection, move: str, applied: Position) -> int:
    """Throw away what the receiver has durably applied and a later verification has seen; the rows gone."""
    with sender.transaction():
        row = sender.execute(
            """WITH gone AS (
                   DELETE FROM strangler.changes
                   WHERE move = %(move)s AND (xid, seq) <= (%(xid)s::text::xid8, %(seq)s)
                     AND xid < (SELECT xid FROM strangler.verifications WHERE move = %(move)s)
                   RETURNING xid, seq
               ), last AS (SELECT xid, seq FROM gone ORDER BY xid DESC, seq DESC LIMIT 1),
               noted AS (
                   INSERT INTO strangler.pruned (move, xid, seq) SELECT %(move)s, xid, seq FROM last
                   ON CONFLICT (move) DO UPDATE SET xid = excluded.xid, seq = excluded.seq
               )
               SELECT count(*) FROM gone""",
            {"move": move, "xid": str(applied.xid), "seq": applied.seq},
        ).fetchone()
    return 0 if row is None else int(row[0])
