import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strangler_proxy.comparing import Answer, differences

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
    max_leaves=12,
)


def as_json(value, status=200, **headers):
    return Answer(
        status=status, headers={"content-type": "application/json", **headers}, body=json.dumps(value).encode()
    )


def page(text):
    return Answer(status=200, headers={"content-type": "text/html; charset=utf-8"}, body=text.encode())


def places(first, second):
    return {difference.place for difference in differences(first, second)}


@given(VALUES)
def test_an_answer_is_not_different_from_itself_however_it_is_laid_out(value):
    spaced = Answer(status=200, headers={"content-type": "application/json"}, body=json.dumps(value, indent=3).encode())
    assert differences(as_json(value), spaced) == []


@given(VALUES, VALUES)
def test_answers_are_equal_only_if_their_values_are(first, second):
    assert (differences(as_json(first), as_json(second)) == []) is (repr_of(first) == repr_of(second))


def repr_of(value):
    return json.dumps(value, sort_keys=True)


def test_a_place_is_told_once_and_without_its_number():
    ours = {"count": 2, "results": [{"id": 1, "rating": 4}, {"id": 2, "rating": 5}]}
    theirs = {"count": 2, "results": [{"id": 1, "rating": 4.5}, {"id": 2, "rating": 1}]}
    assert places(as_json(ours), as_json(theirs)) == {("$.results[].rating", "type"), ("$.results[].rating", "value")}


@pytest.mark.parametrize(
    ("ours", "theirs", "place"),
    [
        ({"a": 1}, {}, ("$.a", "missing")),
        ({}, {"a": 1}, ("$.a", "added")),
        ({"a": 1}, {"a": None}, ("$.a", "missing")),
        ({"a": None}, {"a": 1}, ("$.a", "added")),
        ({"a": 1}, {"a": "1"}, ("$.a", "type")),
        ({"a": 1}, {"a": True}, ("$.a", "type")),
        ([1, 2], [1], ("$[]", "length")),
    ],
)
def test_what_is_missing_added_or_of_another_type_is_told_apart(ours, theirs, place):
    assert places(as_json(ours), as_json(theirs)) == {place}


def test_another_status_says_it_all():
    assert places(as_json({"a": 1}), as_json({"detail": "Not found."}, status=404)) == {("status", "value")}


def test_headers_that_mean_something_are_compared():
    first, second = as_json(1, location="/a/", date="now"), as_json(1, location="/b/", date="then")
    assert places(first, second) == {("header location", "value")}


def test_what_may_be_a_secret_is_not_kept():
    found = differences(as_json({"api_token": "s3cret", "deep": {"email": "a@b.c"}}), as_json({"api_token": "other"}))
    assert "s3cret" not in str(found)
    assert "a@b.c" not in str(found)


def test_long_values_are_shortened():
    (found,) = differences(as_json({"body": "x" * 5_000}), as_json({"body": "y" * 5_000}))
    assert len(found.first) <= 80


def test_pages_differ_by_elements_and_words_not_by_white_space_or_what_is_fresh():
    ours = '<form><input name="csrfmiddlewaretoken" value="a1"></form>\n<p class="b" id="a">Four   reviews</p>'
    theirs = '<form><input value="zz" name="csrfmiddlewaretoken"></form><p id="a" class="b">Four\nreviews</p>'
    assert differences(page(ours), page(theirs)) == []
    assert places(page("<p>Four reviews</p>"), page("<p>Five reviews</p>")) == {("text", "value")}
    assert places(page('<a href="/x/">x</a>'), page('<a href="/y/">x</a>')) == {("<a>", "value")}
    assert places(page("<p>a</p>"), page("<p>a</p><p>b</p>")) == {("text", "length")}


def test_all_else_is_compared_byte_by_byte_also_what_only_says_that_it_is_json():
    png = {"content-type": "image/png"}
    first, second = (Answer(status=200, headers=png, body=body) for body in (b"\x89a", b"\x89b"))
    assert places(first, second) == {("bytes", "value")}
    broken = Answer(status=200, headers={"content-type": "application/json"}, body=b"{")
    assert places(broken, as_json({})) == {("bytes", "value")}
    assert places(broken, broken) == set()


@given(st.binary(max_size=200), st.sampled_from(["text/html", "application/json", "text/plain", ""]))
def test_whatever_the_bytes_are_they_can_be_compared(body, kind):
    answer = Answer(status=200, headers={"content-type": kind}, body=body)
    assert differences(answer, answer) == []
