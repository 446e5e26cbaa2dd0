"""Compare a plan's tables outside of its run, and repair on request, with a line in its record for what is repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Protocol

from strangler.plans.plan import Plan
from strangler.plans.recorder import PlanRecorder
from strangler.plans.standing import FORWARDS, Entry, Event
from strangler.split.verification import Difference, Verification

_KEYS_IN_A_LINE = 500


class Comparable(Protocol):
    """What is used of a `strangler.split.Move`; see there for the promises."""

    def verify(self) -> Verification: ...
    def repair(self, differences: tuple[Difference, ...], /) -> None: ...


@dataclass(frozen=True, kw_only=True)
class PlanVerifier:
    """The verification of one plan's move."""

    plan: Plan
    move: Comparable
    recorder: PlanRecorder
    lock: Callable[[], AbstractContextManager[Callable[[], None]]]
    """Held while something is repaired, as while the plan runs."""
    announce: Callable[[Entry], object] = lambda entry: None

    def verify(self) -> Verification:
        """Compare all tables on both sides; the outcome is noted in both databases, and no row is changed."""
        return self.move.verify()

    def repair(self, found: Verification) -> Verification:
        """Bring the owner's rows of the differing keys over to the other side, and compare everything again.

        Each key stands in the plan's record before it is touched. Raises PlanError where the plan runs now.
        """
        with self.lock() as still_held:
            for table, keys in _by_table(found.differences):
                still_held()
                self._record(step="repair", table=table, keys=keys)
            self.move.repair(found.differences)
            again = self.move.verify()
            self._record(step="verified", equal=again.equal, rows=again.rows, verdict=str(again))
        return again

    def _record(self, **facts: object) -> None:
        index = max(self.recorder.position().highest - 1, 0)
        entry = self.recorder.append(
            Event.REPAIR,
            plan_hash=self.plan.digest(index + 1),
            index=index,
            operation="verifyplan --repair",
            direction=FORWARDS,
            facts=facts,
        )
        self.announce(entry)


def _by_table(differences: Iterable[Difference]) -> Iterator[tuple[str, list[list[str]]]]:
    for table, group in groupby(differences, lambda difference: difference.table):
        keys = (list(difference.key) for difference in group)
        while some := list(islice(keys, _KEYS_IN_A_LINE)):
            yield table, some
