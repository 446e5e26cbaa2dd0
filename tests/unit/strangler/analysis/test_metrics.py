"""The five metrics beside values that were worked out by hand."""

import math

import pytest

from strangler.analysis.metrics import quality

PARTS = {"a": 1, "b": 1, "c": 1, "x": 2, "y": 2}
CALLS = {("a", "b"): 6, ("b", "c"): 2, ("x", "y"): 4, ("a", "x"): 3, ("c", "x"): 1}


def test_a_small_graph_by_hand():
    found = quality(PARTS, CALLS, [["a", "b"], ["a", "x"], ["b", "c"], ["x", "y"]])
    # Part 1 takes part in three use cases, part 2 in two.
    assert found.business_context_purity == pytest.approx((math.log(3) + math.log(2)) / 2)
    # 3 calls and 1 pass the border, 6, 2 and 4 do not: each pair's counts by 1 + ln.
    across, within = 2 + math.log(3), 3 + math.log(6) + math.log(2) + math.log(4)
    assert found.inter_call_percentage == pytest.approx(across / (across + within))
    # (2/9 + 1/4)/2 within, 2/(2*3*2) between, of one pair of parts.
    assert found.structural_modularity == pytest.approx((2 / 9 + 1 / 4) / 2 - 2 / 12)
    # a and c call x from the other part.
    assert found.interface_number == pytest.approx(2 / 2)
    # Both parts have fewer than five entities.
    assert found.non_extreme_distribution == 1


def test_one_part_has_no_border():
    found = quality(dict.fromkeys(PARTS, 1), CALLS, [["a", "x"]])
    assert (found.inter_call_percentage, found.interface_number, found.business_context_purity) == (0, 0, 0)
    assert found.structural_modularity == pytest.approx(5 / 25)
    assert found.non_extreme_distribution == 0


def test_what_is_in_no_part_is_left_out():
    assert quality(PARTS, {**CALLS, ("a", "library"): 99}, []) == quality(PARTS, CALLS, [["library"]])
    assert quality(PARTS, {**CALLS, ("a", "a"): 99}, []) == quality(PARTS, CALLS, [])
    with pytest.raises(ValueError, match="no entity is in any part"):
        quality({}, CALLS, [])


def test_parts_within_five_and_twenty_are_not_extreme():
    parts = {str(number): 1 if number < 5 else 2 for number in range(26)}
    assert quality(parts, {}, []).non_extreme_distribution == pytest.approx(1 - 5 / 26)
