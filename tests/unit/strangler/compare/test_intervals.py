import math
import random
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strangler.compare.intervals import Verdict, expanded_tail, interval, ratio, students_t, verdict

FEW = 400
"""Resamples, where their number does not matter."""


def told(ours, reference, resamples=FEW):
    """What is said of two arms' repetitions."""
    own, other = (interval(each, resamples=resamples) for each in (ours, reference))
    return verdict(own, other, min(len(ours), len(reference)))


values = st.lists(st.floats(0.001, 1e6), min_size=2, max_size=15)


@given(values)
@settings(max_examples=30, deadline=None)
def test_an_interval_holds_its_mean_and_lies_within_what_was_measured(measured):
    found = interval(measured, resamples=FEW)
    assert min(measured) * (1 - 1e-9) <= found.low <= found.mean <= found.high <= max(measured) * (1 + 1e-9)
    assert found.mean == pytest.approx(fmean(measured))


@given(values, st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_order_of_repetitions_changes_nothing(measured, rng):
    shuffled = rng.sample(measured, len(measured))
    assert interval(shuffled, resamples=FEW) == interval(measured, resamples=FEW)


@given(values, st.floats(0.01, 100))
@settings(max_examples=20, deadline=None)
def test_another_unit_gives_the_same_interval_in_that_unit(measured, factor):
    plain, scaled = (interval([each * by for each in measured], resamples=FEW) for by in (1, factor))
    assert (scaled.low, scaled.high) == pytest.approx((plain.low * factor, plain.high * factor))


@given(st.lists(st.floats(0.001, 1e6), min_size=6, max_size=12))
@settings(max_examples=20, deadline=None)
def test_an_arm_does_not_differ_from_itself(measured):
    assert told(measured, measured) is Verdict.SAME
    assert ratio(measured, measured, resamples=FEW).mean == pytest.approx(1)


@given(st.lists(st.floats(1, 2), min_size=6, max_size=10))
@settings(max_examples=20, deadline=None)
def test_what_lies_wholly_apart_is_told_apart_and_the_right_way_round(measured):
    above = [each + 5 for each in measured]
    assert (told(above, measured), told(measured, above)) == (
        Verdict.MORE,
        Verdict.LESS,
    )


@given(st.lists(st.floats(1, 2), min_size=1, max_size=5))
@settings(max_examples=20, deadline=None)
def test_few_repetitions_give_no_verdict_however_far_apart(measured):
    assert told([each + 1000 for each in measured], measured) is Verdict.TOO_FEW


def test_two_of_the_same_are_hardly_ever_told_apart_and_ten_milliseconds_are():
    rng = random.Random(7)

    def repetitions(mean):
        return [rng.gauss(mean, 0.1 * 20) for _ in range(10)]

    drawn = [(repetitions(20), repetitions(20), repetitions(30)) for _ in range(20)]
    assert sum(told(one, other, 2_000) is not Verdict.SAME for one, other, _ in drawn) <= 1
    assert all(told(slower, one, 2_000) is Verdict.MORE for one, _, slower in drawn)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    rng = random.Random(3)
    held = 0
    for _ in range(150):
        found = interval([rng.gauss(10, 1) for _ in range(10)], resamples=1_000)
        held += found.low <= 10 <= found.high
    assert held >= 0.95 * 150  # 99 of 100 are promised; of 150, fewer than 143 would be a broken promise


def test_pairs_take_away_what_they_share():
    rng = random.Random(5)
    busy = [rng.uniform(1, 4) for _ in range(10)]
    found = ratio([2 * each for each in busy], busy)
    assert (found.low, found.mean, found.high) == pytest.approx((2, 2, 2))


@pytest.mark.parametrize(
    ("freedom", "probability", "printed"),
    [
        (1, 0.975, 12.706),
        (2, 0.995, 9.925),
        (5, 0.975, 2.571),
        (9, 0.995, 3.250),
        (9, 0.975, 2.262),
        (30, 0.975, 2.042),
    ],
)
def test_students_t_is_that_of_the_printed_tables(freedom, probability, printed):
    assert students_t(probability, freedom) == pytest.approx(printed, abs=0.001)


def test_fewer_repetitions_leave_out_less():
    tails = [expanded_tail(count) for count in (3, 6, 10, 30, 1000)]
    assert tails == sorted(tails)
    assert math.isclose(tails[-1], 0.005, rel_tol=0.1)


@pytest.mark.parametrize("call", [lambda: interval([]), lambda: ratio([1], [1, 2]), lambda: ratio([1, 1], [0, 1])])
def test_what_cannot_be_compared_is_refused(call):
    with pytest.raises(ValueError, match=r"no repetition|no pairs|positive"):
        call()
