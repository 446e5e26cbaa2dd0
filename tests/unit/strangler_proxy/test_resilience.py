"""Circuits, budgets and places, whatever comes in whatever order."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from strangler_proxy.gateway import Breaker, Bulkhead, Gateway, Policy, Resilience, Retry
from strangler_proxy.resilience.budget import Budget
from strangler_proxy.resilience.circuit import Circuit, State
from strangler_proxy.resilience.places import Places


class Circuits(RuleBasedStateMachine):
    """A circuit beside a naive reading of all that came of requests since its state changed last."""

    TERMS = Breaker(failures=3, share=0.5, minimum=6, window=10, seconds=5)

    def __init__(self):
        super().__init__()
        self.now, self.circuit = 100.0, Circuit(terms=self.TERMS)
        self.inside = []  # (what enter() said, how often the state had changed)
        self.state, self.changes, self.since, self.history = State.CLOSED, 0, 0.0, []

    def change(self, state):
        self.state, self.since, self.history = state, self.now, []
        self.changes += 1

    @rule(seconds=st.sampled_from([0.1, 1, 2.5, 6, 30]))
    def wait(self, seconds):
        self.now += seconds

    @rule()
    def enter(self):
        rests = self.state is State.OPEN and self.now < self.since + self.TERMS.seconds
        tries = self.state is State.HALF_OPEN and any(when == self.changes for _, when in self.inside)
        assert (self.circuit.wait(self.now) > 0) == (rests or tries)
        entered = self.circuit.enter(self.now)
        assert (entered is None) == (rests or tries)
        if entered is None:
            return
        if self.state is State.OPEN:
            self.change(State.HALF_OPEN)
        self.inside.append((entered, self.changes))

    @precondition(lambda self: self.inside)
    @rule(which=st.integers(0, 100), well=st.sampled_from([True, False, False, None]))
    def leave(self, which, well):
        entered, when = self.inside.pop(which % len(self.inside))
        self.circuit.leave(entered, well, self.now)
        if when != self.changes or well is None:
            return
        if self.state is State.HALF_OPEN:
            self.change(State.CLOSED if well else State.OPEN)
            return
        self.history.append((self.now, well))
        lately = [one for moment, one in self.history if int(moment) > int(self.now) - 10]  # parts of a second
        in_a_row = len(self.history) >= 3 and not any(one for _, one in self.history[-3:])
        if in_a_row or (len(lately) >= 6 and lately.count(False) >= 0.5 * len(lately)):
            self.change(State.OPEN)

    @invariant()
    def agree(self):
        assert self.circuit.state is self.state


TestCircuits = Circuits.TestCase
TestCircuits.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)


@given(st.lists(st.sampled_from(["request", "request", "retry"])), st.sampled_from([0.05, 0.2, 1.0]))
def test_retries_are_never_more_than_a_share_of_the_requests_beside_the_reserve(events, share):
    budget = Budget(terms=Retry(share=share, reserve=3))
    requests = retries = 0
    for event in events:
        if event == "request":
            requests += 1
            budget.request()
        else:
            retries += budget.take()
        assert retries <= 3 + share * requests + 1e-9


def test_a_budget_that_was_used_up_comes_back_with_requests():
    budget = Budget(terms=Retry(share=0.5, reserve=2))
    assert [budget.take() for _ in range(3)] == [True, True, False]
    budget.request()
    budget.request()
    assert [budget.take() for _ in range(2)] == [True, False]


class Bulkheads(RuleBasedStateMachine):
    """Places, and those who have one, wait for one, or give up."""

    TERMS = Bulkhead(most=2, queue=3, seconds=60)

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.places = Places(terms=self.TERMS)
        self.inside, self.waiting, self.count = 0, [], 0

    def turn(self):
        """Let all that can go on do so; who waited first is in first."""
        for _ in range(3):
            self.loop.run_until_complete(asyncio.sleep(0))
        done = [task.done() for task in self.waiting]
        assert done == sorted(done, reverse=True)
        for task in self.waiting[: sum(done)]:
            assert task.result() is True
            self.inside += 1
        self.waiting = self.waiting[sum(done) :]

    @rule()
    def come(self):
        full = self.inside == self.TERMS.most and len(self.waiting) == self.TERMS.queue
        task = self.loop.create_task(self.places.wait())
        self.loop.run_until_complete(asyncio.sleep(0))
        if full:
            assert task.result() is False
        else:
            self.waiting.append(task)
            self.turn()

    @precondition(lambda self: self.inside)
    @rule()
    def leave(self):
        self.inside -= 1
        self.places.leave()
        self.turn()

    @precondition(lambda self: self.waiting)
    @rule(which=st.integers(0, 10), at_once=st.booleans())
    def give_up(self, which, at_once):
        task = self.waiting.pop(which % len(self.waiting))
        task.cancel()
        if at_once and self.inside:  # a place becomes free before it has noticed
            self.inside -= 1
            self.places.leave()
        self.turn()
        assert task.cancelled()

    @invariant()
    def agree(self):
        assert (self.places.taken, self.places.waiting) == (self.inside, len(self.waiting))
        assert self.inside == self.TERMS.most or not self.waiting

    def teardown(self):
        for task in self.waiting:
            task.cancel()
        for _ in range(3):
            self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()


TestBulkheads = Bulkheads.TestCase
TestBulkheads.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)


def test_who_waits_too_long_for_a_place_gets_none_and_takes_none():
    async def wait():
        places = Places(terms=Bulkhead(most=1, queue=1, seconds=0.01))
        assert await places.wait()
        assert not await places.wait()
        assert (places.taken, places.waiting) == (1, 0)
        places.leave()
        assert await places.wait()

    asyncio.run(wait())


@pytest.mark.parametrize(
    ("made", "wrong"),
    [
        (lambda: Retry(times=9), "retry's times is 9; it must be from 1 to 5"),
        (lambda: Retry(share=0), "retry's share is 0; it must be more than 0 and at most 1"),
        (lambda: Breaker(failures=0), "breaker's failures is 0"),
        (lambda: Breaker(seconds=float("nan")), "breaker's seconds is nan"),
        (lambda: Bulkhead(most=0), "bulkhead's most is 0"),
        (lambda: Resilience(connect=61), "connect is 61; it must be more than 0 and at most 60"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(made, wrong):
    with pytest.raises(ValueError, match=wrong):
        made()


def test_it_survives_json():
    terms = Resilience(retry=Retry(), breaker=Breaker(failures=2), bulkhead=Bulkhead(most=3), fallback=True)
    gateway = Gateway(revision=1, policies=(Policy(path="/", resilience=terms), Policy(path="/a/", resilience=None)))
    assert Gateway.from_json(gateway.to_json()) == gateway
    assert gateway.policy("GET", "/a/b").resilience == terms
