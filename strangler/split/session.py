"""Connections to work with a move for a while, and what is done over them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from strangler.split import installation, recent
from strangler.split.applier import apply_once, catch_up
from strangler.split.copying import copied
from strangler.split.layout import Layout
from strangler.split.ownership import remember_peers, take_picture
from strangler.split.spec import Side
from strangler.split.store import Store
from strangler.split.stream import Stream, beat_seen, log_again, log_end, send_beat
from strangler.split.verification import Difference, Verification, settle, verify, verify_keys

PATIENCE = 60.0
"""Seconds for work that nobody waits for."""
_LOOKS = 5


@dataclass(frozen=True, kw_only=True)
class Session:
    """Connections of one use of a move: two administrators', and two of each stream's own."""

    move: str
    layout: Layout
    source: Store
    target: Store
    streams: Mapping[Side, Stream]

    def store(self, side: Side) -> Store:
        return self.source if side is Side.SOURCE else self.target

    def apply_once(self) -> int:
        """One batch each way; nothing before the copy is complete, since it would be in the copy's way."""
        if not copied(self.target, self.move, self.layout):
            return 0
        return sum(apply_once(stream) for stream in self.streams.values())

    def catch_up(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for stream in self.streams.values():
            catch_up(stream, log_end(stream.sender, self.move), deadline)

    def orphaned(self, seconds: float) -> bool:
        """Whether nobody has owned for so long: longer than a switch may take, so its executor has died."""
        for side in Side:
            store = self.store(side)
            rows = store.query("SELECT owns, changed_at FROM strangler.ownership WHERE move = %s", (self.move,))
            if not rows or rows[0][0] or store.now() - rows[0][1] <= seconds:
                return False
        return True

    def remember_peers(self) -> None:
        """Note in each database how far the other one is now, so that one set back in time is recognised."""
        remember_peers(self.source, self.target, self.move, take_picture(self.source, self.target, self.move))

    def current(self) -> bool:
        """Whether the move still stands; after a cancel its connections are of no use."""
        return all(installation.installed(self.store(side), self.move) for side in Side)

    def send_heartbeats(self) -> dict[Side, int]:
        """Put the next beat into both logs; their numbers."""
        return {side: send_beat(self.store(side), self.move) for side in Side}

    def beat(self, seconds: float) -> bool:
        """Send a beat each way and see that both, or later ones, arrive in time."""
        beats = self.send_heartbeats()
        deadline = time.monotonic() + seconds
        while any(beat_seen(self.store(side.other), self.move)[0] < beat for side, beat in beats.items()):
            if time.monotonic() > deadline:
                return False
            if not self.apply_once():
                time.sleep(0.005)
        return True

    def verify(self) -> Verification:
        """Compare everything, note the outcome on both sides, and what was compared as compared."""
        # Read before the comparison: what is applied behind these batches is compared again at the switch.
        upto = recent.batches(self.source, self.target, self.move)
        shapes = {side: self.store(side).shape(self.layout.captured(side)) for side in Side}
        outcome = verify(self.source, self.target, self.layout.pairs, self._catch_up)
        outcome = replace(outcome, orphans=self._orphans())
        for side in Side:
            store = self.store(side)
            with store.transaction():
                store.execute("DELETE FROM strangler.verifications WHERE move = %s", (self.move,))
                store.execute(
                    "INSERT INTO strangler.verifications (move, shape, rows, differences, verified_at) "
                    "VALUES (%s, %s, %s, %s, %s)",
                    (self.move, shapes[side], outcome.rows, outcome.faults, store.now()),
                )
        if outcome.equal:
            recent.forget(self.source, self.target, self.move, upto)
        return outcome

    def _orphans(self) -> tuple[str, ...]:
        """Foreign keys that rows at the target violate, also when everything has arrived.

        The applier passes them. At the switch the rows are the source's, which has the same keys and enforces them.
        """
        found: list[str] = []
        for attempt in range(_LOOKS):
            time.sleep(0.05 * attempt)
            found = self.target.orphans(self.layout.moved_tables(Side.TARGET))
            if not found:
                break
            # A child whose parent is on its way.
            self._catch_up()
        return tuple(f"at the target {sentence}" for sentence in found)

    def repair(self, differences: Sequence[Difference], owner: Side) -> None:
        """Put the keys into the owner's log once more; of replicated tables into the source's. Then catch up."""
        for pair in self.layout.pairs:
            keys = [difference.key for difference in differences if difference.table == pair.source.relation]
            log_again(self.store(owner if pair.moved else Side.SOURCE), self.move, pair.name, keys)
        self._catch_up()

    def verify_recent(self) -> Verification:
        """Compare only what was applied since the last comparison, so that a switch has little left to compare.

        What of it differs for good is told of the first keys that do.
        """
        self._catch_up()
        rows = 0
        while True:
            found = recent.unverified(self.source, self.target, self.move)
            first = verify_keys(self.source, self.target, self.layout.pairs, found.keys)
            outcome = replace(first, rows=rows + first.rows, differences=self._settled(first.differences))
            if outcome.equal:
                recent.forget(self.source, self.target, self.move, found.batches)
            if found.complete or not outcome.equal:
                return outcome
            rows = outcome.rows

    def _settled(self, suspects: Sequence[Difference]) -> tuple[Difference, ...]:
        definite: list[Difference] = []
        for pair in self.layout.pairs:
            keys = [difference.key for difference in suspects if difference.table == pair.source.relation]
            definite += settle(self.source, self.target, pair, keys, self._catch_up)
        return tuple(definite)

    def _catch_up(self) -> None:
        self.catch_up(PATIENCE)
