"""What is spared a part that is slow or dead, and when it is asked again."""

import threading

import pytest

from monolith.guard import Guard, Limits, Spared

LIMITS = Limits(most=2, wait=0.0, failures=3, pause=10.0)


class Away(Exception):
    pass


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def guard(clock):
    return Guard(LIMITS, failure=Away, clock=clock)


def away():
    raise Away


def no():
    raise LookupError


def fail(guard, times):
    for _ in range(times):
        with pytest.raises(Away):
            guard(away)


def test_so_many_failures_in_a_row_shut_it_and_nobody_asks(guard):
    fail(guard, LIMITS.failures)
    asked = []
    with pytest.raises(Spared, match="again and again"):
        guard(lambda: asked.append(1))
    assert asked == []


def test_an_answer_in_between_begins_the_row_anew_even_if_it_is_a_no(guard):
    fail(guard, 2)
    with pytest.raises(LookupError):
        guard(no)
    fail(guard, 2)
    assert guard(lambda: "here") == "here"


def test_after_the_pause_one_call_tries_and_the_others_are_spared_until_it_is_back(guard, clock):
    fail(guard, LIMITS.failures)
    clock.now += LIMITS.pause

    def meanwhile():
        with pytest.raises(Spared):
            guard(lambda: "too early")
        return "back"

    assert guard(meanwhile) == "back"
    assert guard(lambda: "open") == "open"


def test_a_try_that_fails_shuts_it_for_another_pause(guard, clock):
    fail(guard, LIMITS.failures)
    clock.now += LIMITS.pause
    fail(guard, 1)
    clock.now += LIMITS.pause - 1
    with pytest.raises(Spared):
        guard(lambda: "too early")
    clock.now += 1
    assert guard(lambda: "back") == "back"


def test_no_more_than_so_many_are_with_it_at_a_time(guard):
    entered, go = threading.Barrier(LIMITS.most + 1), threading.Event()

    def held():
        entered.wait(5)
        go.wait(5)

    threads = [threading.Thread(target=guard, args=(held,)) for _ in range(LIMITS.most)]
    for thread in threads:
        thread.start()
    entered.wait(5)
    try:
        with pytest.raises(Spared, match="too many"):
            guard(lambda: "one more")
    finally:
        go.set()
        for thread in threads:
            thread.join(5)
    assert guard(lambda: "places again") == "places again"


def test_a_place_is_given_back_whatever_comes(guard):
    for _ in range(5):
        with pytest.raises(LookupError):
            guard(no)
    assert guard(lambda: "here") == "here"
