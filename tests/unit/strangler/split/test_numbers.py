"""May two databases give out the same number?"""

import pytest

from strangler.split.numbers import Numbers

ALL = Numbers(highest=100)


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (ALL, ALL, (1, 100)),
        (ALL, Numbers(lowest=100, highest=200), (100, 100)),
        (ALL, Numbers(lowest=101, highest=200), None),
        (Numbers(highest=100, step=2, first=1), Numbers(highest=100, step=2, first=2), None),
        (Numbers(highest=100, step=2, first=1), Numbers(highest=100, step=4, first=3), (1, 100)),
        (Numbers(highest=100, step=2, first=1), Numbers(highest=100, step=3, first=2), (1, 100)),
        (Numbers(highest=100, step=2, first=1), ALL, (1, 100)),
    ],
)
def test_ranges_that_overlap_and_steps_that_meet_share_numbers(one, other, shared):
    assert one.shared_with(other) == other.shared_with(one) == shared


@pytest.mark.parametrize(("step", "first"), [(2, 2), (3, 1), (4, 3)])
def test_what_they_share_is_what_both_lists_have(step, first):
    one, other = Numbers(highest=60, step=step, first=first), Numbers(highest=60, step=6, first=5)
    mine, theirs = (set(range(numbers.first, 61, numbers.step)) for numbers in (one, other))
    assert bool(mine & theirs) == (one.shared_with(other) is not None)
