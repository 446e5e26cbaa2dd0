import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strangler_proxy.cohorts import EDGES, Cohort, Cohorts, class_of


@st.composite
def cohorts(draw):
    counts = draw(st.lists(st.integers(0, 50), min_size=len(EDGES) + 1, max_size=len(EDGES) + 1))
    requests = sum(counts) + draw(st.integers(0, 9))
    failed = draw(st.integers(0, requests))
    return Cohort(requests=requests, failed=failed, refused=requests - failed, seconds=tuple(counts))


@given(cohorts(), cohorts())
def test_proxies_are_added_up(one, other):
    both = one + other
    assert both.requests == one.requests + other.requests
    assert all(both.slower_than(edge) == one.slower_than(edge) + other.slower_than(edge) for edge in range(len(EDGES)))


@given(cohorts(), cohorts())
def test_they_come_back_from_json(one, other):
    both = Cohorts(candidate=one, control=other, compared=3, different=1)
    assert Cohorts.from_json(json.loads(json.dumps(both.to_json()))) == both


@given(st.floats(0, 100))
def test_an_answer_is_within_its_class_and_not_within_the_one_before(seconds):
    number = class_of(seconds)
    assert number == len(EDGES) or seconds <= EDGES[number]
    assert number == 0 or seconds > EDGES[number - 1]


@pytest.mark.parametrize("given_", [{}, {"candidate": {"requests": 1}}, {"candidate": 1, "control": 2}])
def test_what_is_no_count_is_refused(given_):
    with pytest.raises(ValueError, match="the cohorts have a part"):
        Cohorts.from_json(given_)


def test_more_answers_than_requests_are_refused():
    with pytest.raises(ValueError, match="more answers than that"):
        Cohort(requests=1, failed=2)
