"""Streams: what they send, that they end, and that no place is ever lost."""

import json

import pytest

from strangler.dashboard.streaming import Slots, Stream, event


class Clock:
    """Goes on while somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def slots():
    return Slots(free=1)


def stream(slots, looks, lifetime=10.0, clock=None):
    clock = clock or Clock()
    looks = iter(looks)
    assert slots.take()
    return Stream(slots, lambda: next(looks), lifetime=lifetime, every=2.0, sleep=clock.sleep, clock=clock)


def test_first_comes_all_of_it_then_what_has_changed(slots):
    found = stream(slots, [{"a": "1", "b": "2"}, {"a": "1", "b": "3"}, {"a": "1", "b": "3"}], lifetime=4.0)
    retry, first, second, third = found
    assert retry.startswith("retry: ")
    assert json.loads(first.removeprefix("data: ")) == {"a": "1", "b": "2"}
    assert json.loads(second.removeprefix("data: ")) == {"b": "3"}
    assert third.startswith(":")


def test_lines_within_a_section_do_not_end_the_event():
    sent = event({}, {"a": "<p>\n\ndata: forged</p>"})
    assert sent.endswith("\n\n")
    assert "\n" not in sent.removesuffix("\n\n")


def test_a_page_with_other_sections_is_to_be_loaded_anew():
    assert event({"a": "1"}, {"a": "1", "b": "2"}) == "event: anew\ndata:\n\n"


def test_it_ends_after_its_lifetime_and_gives_its_place_back(slots):
    found = stream(slots, [{"a": str(n)} for n in range(100)])
    assert not slots.take()
    assert len(list(found)) == 1 + 6
    assert slots.take()


def test_one_that_was_never_begun_gives_its_place_back(slots):
    stream(slots, []).close()
    assert slots.take()


def test_it_gives_its_place_back_once_however_often_it_is_closed(slots):
    found = stream(slots, [{"a": "1"}])
    next(found)
    found.close()
    found.close()
    assert slots.take()
    assert not slots.take()


def test_a_look_that_fails_ends_it_and_gives_its_place_back(slots):
    found = stream(slots, [])
    next(found)
    with pytest.raises((RuntimeError, StopIteration)):
        next(found)
    assert slots.take()


def test_with_no_lifetime_it_ends_with_its_first_event(slots):
    assert len(list(stream(slots, [{"a": "1"}], lifetime=0.0))) == 2
