"""A write's effects at its owner beside those of its rehearsal."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strangler_proxy.comparing import Difference
from strangler_proxy.effects import Effects, Row, alike, compare, pairs, token_for, told_apart, unclear

TOLD = Effects(before=7, after=7)


def row(key, table="review", gone=False, generated=("id",), **columns):
    values = None if gone else {"id": key, **columns}
    return Row(table=table, key=(key,), row=values, generated=frozenset(generated))


def effects(*rows):
    return replace(TOLD, rows=rows)


def paths(owner, candidate):
    return [one.path for one in compare(effects(*owner), effects(*candidate))[0]]


rows = st.lists(
    st.builds(
        lambda key, gone, rating: row(key, gone=gone, rating=rating),
        st.integers(1, 5),
        st.booleans(),
        st.integers(1, 5),
    ),
    unique_by=lambda one: one.key,
    max_size=4,
)


@given(rows)
def test_the_same_effects_have_no_difference(given_rows):
    assert paths(given_rows, given_rows) == []


@given(rows, rows)
def test_every_row_of_either_side_is_in_one_pair(owner, candidate):
    found = list(pairs(owner, candidate))
    assert sorted(one.key for one, _ in found if one) == sorted(one.key for one in owner)
    assert sorted(one.key for _, one in found if one) == sorted(one.key for one in candidate)


def test_new_rows_are_paired_and_their_generated_keys_stand_for_each_other_everywhere():
    owner = [row(17, rating=5), row(31, table="vote", review_id=17)]
    candidate = [row(1_000_017, rating=5), row(1_000_031, table="vote", review_id=1_000_017)]
    found, same = compare(effects(*owner), effects(*candidate))
    assert (found, same) == ([], {"1000017": "17", "1000031": "31"})
    assert paths(owner, [candidate[0], replace(candidate[1], row={"id": 1_000_031, "review_id": 3})]) == [
        "rows vote.review_id"
    ]


def test_a_changed_deleted_missing_or_additional_row_is_told_by_its_table():
    assert paths([row(3, rating=5)], [row(3, rating=4)]) == ["rows review.rating"]
    assert paths([row(3, gone=True)], [row(3, rating=4)]) == ["rows review"]
    assert paths([row(3, rating=5)], []) == ["rows review"]
    assert paths([], [row(3, rating=5)]) == ["rows review"]
    assert paths([row(3, generated=(), rating=5)], [row(4, generated=(), rating=5)]) == ["rows review", "rows review"]


def test_values_of_columns_that_may_be_secret_are_not_kept():
    ((found,), _) = compare(effects(row(3, email="ann@example.org")), effects(row(3, email="bob@example.org")))
    assert (found.path, found.first, found.second) == ("rows review.email", "(redacted)", "(redacted)")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("17", "99", True),
        ("/api/reviews/17/votes/", "/api/reviews/99/votes/", True),
        ("/api/reviews/17/", "/api/reviews/98/", False),
        ("2026-03-01T10:00:00.1Z", "2026-03-01T10:00:00.9Z", True),
        ("2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z", False),
        ("2026-03-01", "2026-03-02", False),
        ("17", "17", False),
        ("(redacted)", "(redacted)", False),
    ],
)
def test_generated_values_and_the_moments_of_both_runs_are_alike(first, second, expected):
    assert alike(first, second, {"99": "17"}) is expected
    difference = Difference(path="$.x", kind="value", first=first, second=second)
    assert (told_apart([difference], {"99": "17"}) == []) is expected
    missing = replace(difference, kind="missing")
    assert told_apart([missing], {"99": "17"}) == [missing]


@pytest.mark.parametrize(
    ("owner", "candidate", "why"),
    [
        ({}, {}, ""),
        ({"waits": True}, {}, "lacked changes"),
        ({"before": 8}, {}, "lacked changes"),
        ({}, {"after": 8}, "arrived meanwhile"),
        ({"unsaid": True}, {}, "not all of it was told"),
        ({}, {"unsaid": True}, "not all of it was told"),
        ({}, {"blocked": ("socket.connect",)}, "what a rehearsal does not: socket.connect"),
    ],
)
def test_nothing_is_said_where_both_sides_did_not_begin_alike(owner, candidate, why):
    found = unclear(replace(TOLD, **owner), replace(TOLD, **candidate))
    assert why in found
    assert bool(why) is bool(found)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rows": [{}]}', '{"rows": [], "strange": 1}', '{"rows": 7}'])
def test_what_are_no_effects_is_refused(text):
    with pytest.raises(ValueError, match=r"effects|Expecting"):
        Effects.from_header(text)


def test_effects_are_read_as_both_sides_tell_them():
    one = {"table": "review", "key": [3], "row": {"id": 3}, "generated": ["id"]}
    owner = json.dumps({"before": 7, "waits": False, "rows": [one], "unsaid": False})
    candidate = json.dumps({"before": 7, "after": 7, "rows": [one], "unsaid": False, "blocked": ["os.fork"]})
    assert Effects.from_header(owner).rows == Effects.from_header(candidate).rows == (row(3),)
    assert Effects.from_header(candidate).blocked == ("os.fork",)


def test_a_token_is_of_use_at_one_upstream_alone():
    assert len({token_for("a", "reviews"), token_for("a", "monolith"), token_for("b", "reviews")}) == 3
