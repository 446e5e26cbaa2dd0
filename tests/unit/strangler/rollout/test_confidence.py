import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.rollout.confidence import interval


@given(st.integers(0, 2_000), st.data())
def test_what_was_seen_is_always_possible(trials, data):
    successes = data.draw(st.integers(0, trials))
    lowest, highest = interval(successes, trials, 0.05)
    assert 0 <= lowest <= (successes / trials if trials else 0) <= highest <= 1


@given(st.integers(1, 500), st.data())
def test_failures_are_successes_seen_from_the_other_side(trials, data):
    successes = data.draw(st.integers(0, trials))
    lowest, highest = interval(successes, trials, 0.05)
    mirrored = interval(trials - successes, trials, 0.05)
    assert (1 - highest, 1 - lowest) == pytest.approx(mirrored, abs=1e-9)


def test_more_of_the_same_narrows_it():
    widths = [highest - lowest for lowest, highest in (interval(n // 10, n, 0.05) for n in (10, 100, 1_000, 10_000))]
    assert widths == sorted(widths, reverse=True)


def test_nothing_seen_leaves_everything_possible():
    assert interval(0, 0, 0.05) == (0.0, 1.0)


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_the_truth_is_left_out_no_oftener_than_promised_however_often_one_looks(share):
    chance = random.Random(1)
    missed = 0
    for _ in range(400):
        successes = 0
        for trials in range(1, 301):
            successes += chance.random() < share
            lowest, highest = interval(successes, trials, 0.2) if trials % 5 == 0 or trials < 20 else (0, 1)
            if not lowest <= share <= highest:
                missed += 1
                break
    assert missed / 400 <= 0.2


@pytest.mark.parametrize(("successes", "trials", "alpha"), [(2, 1, 0.05), (-1, 1, 0.05), (1, 2, 0), (1, 2, 1)])
def test_what_is_no_count_or_no_chance_is_refused(successes, trials, alpha):
    with pytest.raises(ValueError, match=r"is no share|must lie between"):
        interval(successes, trials, alpha)
