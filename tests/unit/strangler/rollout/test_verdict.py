import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strangler_proxy.cohorts import EDGES, Cohort, Cohorts, class_of

from strangler.rollout.verdict import Limits, Outcome, judge, judge_early, judge_owner, requests_for_success

LIMITS = Limits(minimum=50, failures=0.05, refusals=0.05, differences=0.05)


def cohort(requests, failed=0, refused=0, seconds=0.01):
    counts = [0] * (len(EDGES) + 1)
    counts[class_of(seconds)] = requests
    return Cohort(requests=requests, failed=failed, refused=refused, seconds=tuple(counts))


def verdict(candidate, control, limits=LIMITS, **shadows):
    return judge(Cohorts(candidate=candidate, control=control, **shadows), limits)


def test_two_alike_that_are_large_enough_are_a_success():
    found = verdict(cohort(2_000, failed=10), cohort(2_000, failed=10))
    assert found.outcome is Outcome.SUCCESS
    assert "the candidate fails 0.50%, the control 0.50%" in found.reason


@given(st.integers(0, 49), st.integers(0, 5_000))
def test_sparse_traffic_is_neither_success_nor_failure(few, many):
    for seen in (
        Cohorts(candidate=cohort(few), control=cohort(many)),
        Cohorts(candidate=cohort(many), control=cohort(few)),
    ):
        found = judge(seen, LIMITS)
        assert found.outcome is Outcome.INCONCLUSIVE
        assert f"{min(few, many)} requests in the smaller cohort" in found.reason


def test_a_candidate_that_always_fails_is_failed_within_a_few_requests():
    outcomes = [verdict(cohort(n, failed=n), cohort(n)).outcome for n in range(1, 30)]
    assert Outcome.SUCCESS not in outcomes
    assert outcomes.index(Outcome.FAILED) < 15


def test_an_owner_that_fails_alike_is_no_reason_against_the_candidate():
    assert verdict(cohort(20_000, failed=10_000), cohort(20_000, failed=10_000)).outcome is Outcome.SUCCESS


def test_a_candidate_that_answers_404_where_the_owner_answers_is_failed():
    found = verdict(cohort(500, refused=200), cohort(500))
    assert found.outcome is Outcome.FAILED
    assert "the candidate answers 40.00% with 4xx" in found.reason


def test_a_candidate_that_answers_where_the_owner_refuses_is_failed_too():
    assert verdict(cohort(500), cohort(500, refused=200)).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("slow", "outcome"), [(0.02, Outcome.SUCCESS), (0.04, Outcome.SUCCESS), (0.3, Outcome.FAILED), (60, Outcome.FAILED)]
)
def test_latency_is_compared_with_the_controls(slow, outcome):
    assert verdict(cohort(2_000, seconds=slow), cohort(2_000, seconds=0.01)).outcome is outcome


def test_few_slow_answers_are_not_yet_a_slow_quantile():
    found = verdict(cohort(60, seconds=0.02), cohort(60, seconds=0.02), replace(LIMITS, failures=0.9, refusals=0.9))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "p95" in found.reason


def test_shadows_that_differ_fail_it_and_few_shadows_leave_it_open():
    same = cohort(2_000), cohort(2_000)
    assert verdict(*same, compared=2_000, different=0).outcome is Outcome.SUCCESS
    assert verdict(*same, compared=20, different=0).outcome is Outcome.INCONCLUSIVE
    found = verdict(*same, compared=2_000, different=400)
    assert found.outcome is Outcome.FAILED
    assert "400 of 2000 shadowed requests were answered differently" in found.reason


def test_those_who_come_early_are_judged_by_an_absolute_limit():
    def early(requests, failed=0):
        return judge_early(Cohorts(early=cohort(requests, failed=failed)), LIMITS)

    assert early(1_000).outcome is Outcome.SUCCESS
    assert early(200, failed=100).outcome is Outcome.FAILED
    assert early(1_000, failed=45).outcome is Outcome.INCONCLUSIVE
    assert "49 requests came early, of 50" in early(49).reason


def test_those_who_come_early_can_end_a_canary_and_never_hold_it_up():
    alike = {"candidate": cohort(2_000), "control": cohort(2_000)}
    assert judge(Cohorts(**alike, early=cohort(1)), LIMITS).outcome is Outcome.SUCCESS
    found = judge(Cohorts(**alike, early=cohort(200, failed=100)), LIMITS)
    assert found.outcome is Outcome.FAILED
    assert "the candidate fails 50.00% of those who come early" in found.reason


def test_a_new_owner_is_judged_beside_the_old_one_and_by_its_writes_alone():
    alike = {"candidate": cohort(2_000), "control": cohort(2_000)}
    assert judge_owner(Cohorts(**alike, writes=cohort(1_000)), LIMITS, compare=True).outcome is Outcome.SUCCESS
    # The candidate's share is answered by the old owner now: its failures are no reason against the new one.
    old_fails = Cohorts(candidate=cohort(2_000, failed=500), control=cohort(2_000), writes=cohort(1_000))
    assert judge_owner(old_fails, LIMITS, compare=True).outcome is Outcome.SUCCESS
    new_fails = Cohorts(candidate=cohort(2_000), control=cohort(2_000, failed=500), writes=cohort(1_000))
    assert judge_owner(new_fails, LIMITS, compare=True).outcome is Outcome.FAILED
    assert judge_owner(new_fails, LIMITS, compare=False).outcome is Outcome.SUCCESS
    failing = judge_owner(Cohorts(**alike, writes=cohort(100, failed=50)), LIMITS, compare=True)
    assert (failing.outcome, failing.reason[:25]) == (Outcome.FAILED, "50.00% of the writes fail")
    few = judge_owner(Cohorts(**alike, writes=cohort(49)), LIMITS, compare=True)
    assert (few.outcome, few.reason) == (Outcome.INCONCLUSIVE, "49 writes, of 50 that are asked for")


def test_the_number_of_requests_that_a_success_takes_is_told():
    needed = requests_for_success(LIMITS)
    assert verdict(cohort(needed), cohort(needed)).outcome is Outcome.SUCCESS
    assert verdict(cohort(needed // 2), cohort(needed // 2)).outcome is Outcome.INCONCLUSIVE
    assert requests_for_success(LIMITS, failed=0.02) > needed


@pytest.mark.parametrize(("rate", "wrong"), [(0.08, Outcome.SUCCESS), (0.02, Outcome.FAILED)])
def test_looking_after_every_few_requests_does_not_wear_the_promise_out(rate, wrong):
    """The candidate is a little beyond its limit, or a little within: the wrong outcome comes no oftener than alpha."""
    chance, limits = random.Random(2), replace(LIMITS, alpha=0.2)
    count = 0
    for _ in range(40):
        failed = [0, 0]
        for requests in range(1, 601):
            failed[0] += chance.random() < rate
            failed[1] += chance.random() < 0.02
            if requests % 20:
                continue
            seen = verdict(cohort(requests, failed=failed[0]), cohort(requests, failed=failed[1]), limits)
            if seen.outcome is wrong:
                count += 1
                break
    assert count / 40 <= 0.2


@pytest.mark.parametrize("wrong", [{"failures": 0}, {"alpha": 1}, {"minimum": 0}, {"slack": -1}, {"slowdown": 1.2}])
def test_limits_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="the limit"):
        Limits(**wrong)
