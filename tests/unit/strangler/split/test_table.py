"""Keys and JSON as all engines write them."""

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from strangler.split.table import canonical_json, key_from_text, key_to_text

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.text(), min_size=1, max_size=4).map(tuple))
def test_a_key_survives_its_text(key):
    assert key_from_text(key_to_text(key)) == key


@given(st.integers())
def test_a_number_written_by_a_trigger_keeps_every_digit(number):
    assert key_from_text(f"[{number}, true]") == (str(number), "true")


@given(json_values)
def test_canonical_json_means_the_same_and_does_not_change_again(value):
    text = canonical_json(json.dumps(value))
    assert canonical_json(text) == text
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal) == json.loads(
        json.dumps(value), parse_float=Decimal, parse_int=Decimal
    )


def test_two_texts_of_one_value_are_equal():
    assert canonical_json('{"b": 1.50, "a": [1e2]}') == canonical_json('{"a":[100.0],"b":1.5}') == '{"a":[100],"b":1.5}'
    assert canonical_json("0.1234567890123456789012345678901") == "0.1234567890123456789012345678901"
