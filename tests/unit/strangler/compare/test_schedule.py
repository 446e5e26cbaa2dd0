import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strangler.compare.schedule import arrivals, orders, quantile


@given(st.integers(1, 5), st.integers(0, 12), st.integers())
def test_each_repetition_has_every_arm_once(arms, repetitions, seed):
    names = [f"arm {n}" for n in range(arms)]
    drawn = orders(names, repetitions, seed)
    assert [sorted(order) for order in drawn] == [names] * repetitions
    assert drawn == orders(names, repetitions, seed)


def test_the_order_changes_between_repetitions():
    assert len({tuple(order) for order in orders("abc", 20, 1)}) > 3


@given(st.floats(1, 100), st.floats(0.1, 2), st.text(max_size=5))
@settings(max_examples=20, deadline=None)
def test_arrivals_ascend_within_their_time_and_are_the_same_for_the_same_seed(rate, seconds, seed):
    due = arrivals(rate, seconds, seed)
    assert due == sorted(due) == arrivals(rate, seconds, seed)
    assert due
    assert all(0 < at < seconds for at in due)


def test_arrivals_come_at_their_rate():
    assert len(arrivals(200, 50, "a")) == pytest.approx(10_000, rel=0.05)


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0, 1))
def test_a_quantile_is_a_value_that_its_share_does_not_exceed(values, share):
    found = quantile(values, share)
    assert found in values
    assert sum(each <= found for each in values) >= share * len(values) - 1e-5 * len(values)


def test_quantiles_by_hand():
    values = list(range(1, 101))
    assert [quantile(values, share) for share in (0, 0.5, 0.95, 0.99, 1)] == [1, 50, 95, 99, 100]
    assert quantile(list(range(1, 21)), 0.95) == 19
    with pytest.raises(ValueError, match="no value"):
        quantile([], 0.5)
