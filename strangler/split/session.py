"""Connections to work with a move for a while, and what is done over them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from strangler.split import gates, installation
from strangler.split.applier import Stream, apply_once, catch_up
from strangler.split.checkpoint import checkpoint, log_end, prune
from strangler.split.copying import copied
from strangler.split.database import Connection, scalar
from strangler.split.layout import Layout
from strangler.split.spec import Side
from strangler.split.verification import Verification, verify

PATIENCE = 60.0
"""Seconds for work that nobody waits for."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """Connections of one use of a move: two administrators', and two of each stream's own."""

    move: str
    layout: Layout
    source: Connection
    target: Connection
    streams: Mapping[Side, Stream]

    def connection(self, side: Side) -> Connection:
        return self.source if side is Side.SOURCE else self.target

    def apply_once(self) -> int:
        """One batch each way; nothing before the copy is complete, since it would be in the copy's way."""
        if not copied(self.target, self.move):
            return 0
        return sum(apply_once(stream) for stream in self.streams.values())

    def catch_up(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for stream in self.streams.values():
            catch_up(stream, log_end(stream.sender, self.move), deadline)

    def orphaned(self, seconds: float) -> bool:
        """Whether nobody has owned for so long: longer than a switch may take, so its executor has died."""
        rows = [
            self.connection(side)
            .execute(
                "SELECT owns, extract(epoch FROM clock_timestamp() - changed_at) FROM strangler.ownership "
                "WHERE move = %s",
                (self.move,),
            )
            .fetchone()
            for side in Side
        ]
        return all(row is not None and not row[0] and row[1] > seconds for row in rows)

    def current(self) -> bool:
        """Whether the move still stands; after a cancel its connections are of no use."""
        return all(installation.installed(self.connection(side), self.move) for side in Side)

    def prune(self) -> int:
        """Shorten both logs by what is applied and verified; the rows gone."""
        gone = 0
        for side in Side:
            applied = checkpoint(self.connection(side.other), self.move)
            if applied is not None:
                gone += prune(self.connection(side), self.move, applied)
        return gone

    def send_heartbeats(self) -> dict[Side, int]:
        """Write the next beat on both sides; their numbers."""
        return {
            side: int(
                scalar(
                    self.connection(side),
                    """INSERT INTO strangler.heartbeats (move, side, beat, beat_at)
                       VALUES (%s, %s, 1, clock_timestamp())
                       ON CONFLICT (move, side) DO UPDATE SET beat = heartbeats.beat + 1, beat_at = excluded.beat_at
                       RETURNING beat""",
                    (self.move, side.value),
                )
            )
            for side in Side
        }

    def beat(self, seconds: float) -> bool:
        """Send a beat each way and see that both, or later ones, arrive in time."""
        beats = self.send_heartbeats()
        deadline = time.monotonic() + seconds
        while not all(gates.arrived(stream, beats[origin]) for origin, stream in self.streams.items()):
            if time.monotonic() > deadline:
                return False
            if not self.apply_once():
                time.sleep(0.005)
        return True

    def verify(self) -> Verification:
        # Read before the comparison: what changes from here on is compared again at the switch.
        horizon = {
            side: scalar(self.connection(side), "SELECT pg_snapshot_xmin(pg_current_snapshot())::text") for side in Side
        }
        outcome = verify(self.source, self.target, self.layout.copied, lambda: self.catch_up(PATIENCE))
        for side, xid in horizon.items():
            self.connection(side).execute(
                """INSERT INTO strangler.verifications (move, xid, rows, differences)
                   VALUES (%s, %s::text::xid8, %s, %s)
                   ON CONFLICT (move) DO UPDATE SET xid = excluded.xid, rows = excluded.rows,
                       differences = excluded.differences, verified_at = excluded.verified_at""",
                (self.move, xid, outcome.rows, len(outcome.differences)),
            )
        return outcome
