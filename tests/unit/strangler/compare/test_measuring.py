import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.compare.capacity import highest
from strangler.compare.load import Sample
from strangler.compare.measuring import summed_up, within


def samples(*latencies, status=200):
    return [Sample(due=0, lag=0.001, latency=each, status=status) for each in latencies]


@given(st.floats(11, 99), st.integers(3, 10))
def test_the_highest_rate_is_found_from_below_and_as_finely_as_was_asked(limit, probes):
    found = highest(lambda rate: rate <= limit, low=10, high=100, probes=probes)
    assert found <= limit <= found * 10 ** (1 / 2**probes) * (1 + 1e-9)


def test_where_nothing_holds_it_is_the_lowest_and_where_all_does_never_the_highest():
    assert highest(lambda rate: False, low=10, high=90, probes=4) == 10
    assert 75 < highest(lambda rate: True, low=10, high=90, probes=4) < 90


def test_figures_of_a_run():
    told = dict(summed_up([*samples(*[0.01] * 98), *samples(0.2, 0.3)], used=0.5))
    assert told == pytest.approx({"p50": 10, "p95": 10, "p99": 200, "cpu": 5, "failed": 0, "lag": 1})
    assert dict(summed_up(samples(0.1, 0.1, status=503), used=1))["failed"] == 100
    assert list(summed_up([], used=1)) == []


def test_a_rate_holds_only_if_all_are_answered_and_nearly_all_in_time():
    assert within(samples(*[0.01] * 95, *[9] * 5), 0.1)
    assert not within(samples(*[0.01] * 94, *[9] * 6), 0.1)
    assert not within([*samples(0.01), *samples(0.01, status=500)], 0.1)
