"""From repetitions to what may be said: figures with intervals, their ratios to another arm's, and verdicts. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from strangler.compare.intervals import Interval, Verdict, interval, ratio, verdict
from strangler.compare.results import MEASURES, Measure, Results, values


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measure of one arm, held against another arm's."""

    arm: str
    against: str
    route: str
    measure: Measure
    own: tuple[float, ...]
    reference: tuple[float, ...]
    seed: int

    @property
    def found(self) -> Interval:
        return _interval(self.own, self.seed)

    @property
    def ratio(self) -> Interval | None:
        """How many times the other arm's it is; None of the reference itself, or of what may be zero."""
        if self.arm == self.against or min(self.reference) <= 0 or len(self.own) != len(self.reference):
            return None
        return _ratio(self.own, self.reference, self.seed)

    @property
    def verdict(self) -> Verdict | None:
        """None of the reference itself, and of what is not judged."""
        if self.arm == self.against or not self.measure.judged:
            return None
        repetitions = min(len(self.own), len(self.reference))
        return verdict(self.found, _interval(self.reference, self.seed), repetitions)

    @property
    def better(self) -> bool | None:
        """None where nothing can be said."""
        told = self.verdict
        return (
            None if told not in {Verdict.LESS, Verdict.MORE} else (told is Verdict.MORE) == self.measure.more_is_better
        )

    @property
    def words(self) -> str:
        """What is said of it; nothing of what is not judged."""
        if self.better is None:
            return str(self.verdict or "")
        return f"{'better' if self.better else 'worse'} than {self.against}"


def figures(results: Results, route: str, against: str) -> list[list[Figure]]:
    """A row for each measure that this route (""; the arm as a whole) has, with a figure for each arm that has it."""
    rows = []
    for measure in MEASURES.values():
        by_arm = {
            arm["name"]: tuple(values(results.observations, arm["name"], route, measure.name)) for arm in results.arms
        }
        if by_arm[against]:
            rows.append(
                [
                    Figure(
                        arm=arm,
                        against=against,
                        route=route,
                        measure=measure,
                        own=own,
                        reference=by_arm[against],
                        seed=results.about["seed"],
                    )
                    for arm, own in by_arm.items()
                    if own
                ]
            )
    return rows


@lru_cache(maxsize=1024)
def _interval(own: tuple[float, ...], seed: int) -> Interval:
    return interval(own, seed=seed)


@lru_cache(maxsize=1024)
def _ratio(own: tuple[float, ...], reference: tuple[float, ...], seed: int) -> Interval:
    return ratio(own, reference, seed=seed)
