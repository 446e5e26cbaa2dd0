"""Is a candidate as good as the owner? Success, failed or inconclusive; only success promotes.

Each comparison is of two cohorts that were served at the same time, and is made with confidence sequences, so that it
may be made after every request. With probability 1 - alpha none of them is wrong, however long one looks: a candidate
within its limits is not failed, and one beyond them is not passed. Between the two lies "inconclusive".
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from strangler_proxy.cohorts import EDGES, Cohort, Cohorts

from strangler.rollout.confidence import interval

_FINEST = 1.5


class Outcome(enum.StrEnum):
    """What a comparison came to."""

    SUCCESS = "success"  # every limit is kept, beyond doubt
    FAILED = "failed"  # some limit is exceeded, beyond doubt
    INCONCLUSIVE = "inconclusive"  # neither, yet; never a reason to go on


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """An outcome and, in words, the limit that decided it or that is still open."""

    outcome: Outcome
    reason: str

    def __str__(self) -> str:
        return f"{self.outcome}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much worse a candidate may be, and how sure one has to be. Raises ValueError."""

    minimum: int = 100
    """Requests in either cohort below which nothing is a success."""
    failures: float = 0.01
    """By how much the share of 5xx may exceed the control's."""
    refusals: float = 0.02
    """By how much the share of 4xx may differ from the control's, in either direction."""
    quantile: float = 0.95
    """Of the latencies, the one that is compared."""
    slowdown: float = 1.5
    """What the candidate's quantile may be of the control's, beside the ..."""
    slack: float = 0.05
    """... seconds that it may be longer in any case."""
    differences: float = 0.01
    """Share of the shadowed requests that may be answered differently; with no shadow nothing is asked of it."""
    alpha: float = 0.05
    """The chance that any of it is decided wrongly."""

    def __post_init__(self) -> None:
        for name in ("failures", "refusals", "differences", "quantile", "alpha"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f'the limit "{name}" is {getattr(self, name):g}; it must lie between 0 and 1')
        if self.minimum < 1 or self.slack < 0:
            raise ValueError('the limit "minimum" must be at least 1, and "slack" at least 0')
        if self.slowdown < _FINEST:
            raise ValueError(
                f'the limit "slowdown" is {self.slowdown:g}; it must be at least {_FINEST:g}, since latencies are '
                "counted in classes that are a factor of 1.41 apart"
            )


def judge(seen: Cohorts, limits: Limits) -> Verdict:
    """The verdict on what was seen."""
    return _together(list(_verdicts(seen, limits)))


def judge_shadows(seen: Cohorts, limits: Limits) -> Verdict:
    """The verdict on shadows alone, before the candidate answers anybody."""
    found = _differences(seen, limits, limits.alpha)
    if seen.compared < limits.minimum and found.outcome is Outcome.SUCCESS:
        return _inconclusive(f"{seen.compared} requests were shadowed, of {limits.minimum} that are asked for")
    return found


def judge_early(seen: Cohorts, limits: Limits) -> Verdict:
    """The verdict on those who come early alone. Nobody comparable is served by the owner, so the limit is absolute."""
    found = _early(seen.early, limits, limits.alpha)
    if seen.early.requests < limits.minimum and found.outcome is not Outcome.FAILED:
        return _inconclusive(f"{seen.early.requests} requests came early, of {limits.minimum} that are asked for")
    return found


def judge_owner(seen: Cohorts, limits: Limits, *, compare: bool) -> Verdict:
    """The verdict on a new owner, after the switch: its writes, and with "compare" its reads beside the old owner's.

    The side that answers the candidate's share is the old owner now, so the cohorts change their parts. Writes have
    nobody beside them: their limit is absolute.
    """
    alpha = limits.alpha / 4 if compare else limits.alpha
    verdicts = [_writes(seen.writes, limits, alpha)]
    if compare:
        # Six intervals of an eighth each: what is left is the writes'.
        verdicts += _verdicts(Cohorts(candidate=seen.control, control=seen.candidate), limits)
    return _together(verdicts)


def requests_for_success(limits: Limits, failed: float = 0.0) -> int:
    """How many requests each cohort needs, about, where both sides fail this share and are equally fast.

    Found with the counts at their expectation, in steps of a tenth.
    """
    count = limits.minimum
    while True:
        fast = (count, *(0,) * len(EDGES))
        cohort = Cohort(requests=count, failed=round(count * failed), seconds=fast)
        if judge(Cohorts(candidate=cohort, control=cohort), limits).outcome is Outcome.SUCCESS:
            return count
        if count > 100_000_000:
            raise ValueError(f"no number of requests shows that; the limits are too narrow for a share of {failed:g}")
        count += max(1, count // 10)


def _together(verdicts: Sequence[Verdict]) -> Verdict:
    for outcome in (Outcome.FAILED, Outcome.INCONCLUSIVE):
        reasons = [verdict.reason for verdict in verdicts if verdict.outcome is outcome]
        if reasons:
            return Verdict(outcome=outcome, reason="; ".join(reasons))
    return Verdict(outcome=Outcome.SUCCESS, reason="; ".join(verdict.reason for verdict in verdicts))


def _verdicts(seen: Cohorts, limits: Limits) -> Iterator[Verdict]:
    fewest = min(seen.candidate.requests, seen.control.requests)
    if fewest < limits.minimum:
        yield _inconclusive(f"{fewest} requests in the smaller cohort, of {limits.minimum} that are asked for")
    # Four comparisons, each with an interval for either side, and one interval more.
    alpha = limits.alpha / (9 if seen.early.requests else 8)
    yield _failures(seen.candidate, seen.control, limits, alpha)
    yield _refusals(seen.candidate, seen.control, limits, alpha)
    yield _latency(seen.candidate, seen.control, limits, alpha)
    if seen.compared:
        yield _differences(seen, limits, 2 * alpha)
    # They may be few, and go on waiting for them would stop everybody: they can only end it.
    if seen.early.requests and (early := _early(seen.early, limits, alpha)).outcome is Outcome.FAILED:
        yield early


def _failures(candidate: Cohort, control: Cohort, limits: Limits, alpha: float) -> Verdict:
    lowest, highest = _excess(candidate, control, "failed", alpha)
    what = (
        f"the candidate fails {_share(candidate.failed, candidate.requests)}, the control "
        f"{_share(control.failed, control.requests)}"
    )
    if lowest > limits.failures:
        return _failed(f"{what}: at least {lowest:.2%} more, of {limits.failures:.2%} that are allowed")
    if highest <= limits.failures:
        return _success(what)
    return _inconclusive(f"{what}: it may be {highest:.2%} more, of {limits.failures:.2%} that are allowed")


def _writes(writes: Cohort, limits: Limits, alpha: float) -> Verdict:
    found = _absolute(f"{_share(writes.failed, writes.requests)} of the writes fail", writes, limits, alpha)
    if writes.requests < limits.minimum and found.outcome is not Outcome.FAILED:
        return _inconclusive(f"{writes.requests} writes, of {limits.minimum} that are asked for")
    return found


def _early(early: Cohort, limits: Limits, alpha: float) -> Verdict:
    what = f"the candidate fails {_share(early.failed, early.requests)} of those who come early"
    return _absolute(what, early, limits, alpha)


def _absolute(what: str, cohort: Cohort, limits: Limits, alpha: float) -> Verdict:
    lowest, highest = interval(cohort.failed, cohort.requests, alpha)
    if lowest > limits.failures:
        return _failed(f"{what}: at least {lowest:.2%}, of {limits.failures:.2%} that are allowed")
    if highest <= limits.failures:
        return _success(what)
    return _inconclusive(f"{what}: it may be {highest:.2%}, of {limits.failures:.2%} that are allowed")


def _refusals(candidate: Cohort, control: Cohort, limits: Limits, alpha: float) -> Verdict:
    lowest, highest = _excess(candidate, control, "refused", alpha)
    what = (
        f"the candidate answers {_share(candidate.refused, candidate.requests)} with 4xx, the control "
        f"{_share(control.refused, control.requests)}"
    )
    if lowest > limits.refusals or highest < -limits.refusals:
        return _failed(f"{what}: the difference is more than {limits.refusals:.2%}")
    if -limits.refusals <= lowest and highest <= limits.refusals:
        return _success(what)
    return _inconclusive(f"{what}: the difference may be more than {limits.refusals:.2%}")


def _latency(candidate: Cohort, control: Cohort, limits: Limits, alpha: float) -> Verdict:
    theirs, ours = (_quantile(cohort, limits.quantile, alpha) for cohort in (candidate, control))
    what = f"the candidate's p{limits.quantile * 100:g} lies {_between(*theirs)}, the control's {_between(*ours)}"
    if theirs[0] > ours[1] * limits.slowdown + limits.slack:
        return _failed(f"{what}: more than {limits.slowdown:g} times and {limits.slack:g} s")
    if theirs[1] <= ours[0] * limits.slowdown + limits.slack:
        return _success(what)
    return _inconclusive(f"{what}: it may be more than {limits.slowdown:g} times and {limits.slack:g} s")


def _differences(seen: Cohorts, limits: Limits, alpha: float) -> Verdict:
    lowest, highest = interval(seen.different, seen.compared, alpha)
    what = f"{seen.different} of {seen.compared} shadowed requests were answered differently"
    if lowest > limits.differences:
        return _failed(f"{what}, of {limits.differences:.2%} that are allowed")
    if highest <= limits.differences:
        return _success(what)
    return _inconclusive(f"{what}: in the long run it may be more than {limits.differences:.2%}")


def _excess(candidate: Cohort, control: Cohort, what: str, alpha: float) -> tuple[float, float]:
    """By how much the candidate's share exceeds the control's: (lowest, highest)."""
    theirs = interval(getattr(candidate, what), candidate.requests, alpha)
    ours = interval(getattr(control, what), control.requests, alpha)
    return theirs[0] - ours[1], theirs[1] - ours[0]


def _quantile(cohort: Cohort, quantile: float, alpha: float) -> tuple[float, float]:
    """Seconds between which the quantile lies: the edges (below, above); 0 and infinity where nothing is known."""
    each = alpha / len(EDGES)
    lowest, highest = 0.0, float("inf")
    for number, edge in enumerate(EDGES):
        share = interval(cohort.slower_than(number), cohort.timed, each)
        if share[0] > 1 - quantile:
            lowest = edge
        if share[1] < 1 - quantile:
            highest = edge
            break
    return lowest, highest


def _between(lowest: float, highest: float) -> str:
    if highest == float("inf"):
        return f"above {lowest * 1000:.0f} ms"
    return f"between {lowest * 1000:.0f} and {highest * 1000:.0f} ms"


def _share(count: int, requests: int) -> str:
    return f"{count / requests:.2%}" if requests else "nothing"


def _success(reason: str) -> Verdict:
    return Verdict(outcome=Outcome.SUCCESS, reason=reason)


def _failed(reason: str) -> Verdict:
    return Verdict(outcome=Outcome.FAILED, reason=reason)


def _inconclusive(reason: str) -> Verdict:
    return Verdict(outcome=Outcome.INCONCLUSIVE, reason=reason)
