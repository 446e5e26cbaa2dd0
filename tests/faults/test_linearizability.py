"""The judge is judged: histories that a register could have made pass, planted violations do not."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies

from tests.faults.linearizability import Operation, State, Verb, violation


def op(who, verb, value, called, answered=float("inf")):
    return Operation(who=who, register="r", verb=verb, value=value, called=called, answered=answered)


VIOLATIONS = {
    "a stale read": [op("a", Verb.WRITE, 1, 1, 2), op("a", Verb.WRITE, 2, 3, 4), op("b", Verb.READ, 1, 5, 6)],
    "a lost write": [op("a", Verb.WRITE, 1, 1, 2), op("b", Verb.READ, None, 3, 4)],
    "a lost update": [op("a", Verb.WRITE, 5, 1, 2), op("b", Verb.ADD, 6, 3, 6), op("c", Verb.ADD, 6, 4, 7)],
    "a deletion undone": [op("a", Verb.WRITE, 1, 1, 2), op("a", Verb.DELETE, None, 3, 4), op("b", Verb.READ, 1, 5, 6)],
    "a write done twice": [
        op("a", Verb.WRITE, 1, 1, 2),
        op("b", Verb.WRITE, 2, 3, 4),
        op("c", Verb.READ, 2, 5, 6),
        op("c", Verb.READ, 1, 7, 8),
    ],
    "an unknown write seen and then unseen": [
        op("a", Verb.WRITE, 1, 1, 2),
        op("b", Verb.WRITE, 2, 3),
        op("c", Verb.READ, 2, 5, 6),
        op("c", Verb.READ, 1, 7, 8),
    ],
    "a read from the future": [op("a", Verb.READ, 1, 1, 2), op("b", Verb.WRITE, 1, 3, 4)],
    "two inserts of one row": [op("a", Verb.INSERT, 1, 1, 2), op("b", Verb.INSERT, 2, 3, 4)],
}


@pytest.mark.parametrize("history", VIOLATIONS.values(), ids=VIOLATIONS)
def test_planted_violations_are_found(history):
    assert violation(history)


def test_unknown_outcomes_may_have_happened_late_or_never():
    seen = [op("a", Verb.WRITE, 1, 1), op("b", Verb.READ, None, 2, 3), op("b", Verb.READ, 1, 4, 5)]
    unseen = [op("a", Verb.WRITE, 1, 1), op("b", Verb.READ, None, 2, 3)]
    assert violation(seen) is None
    assert violation(unseen) is None


@strategies.composite
def honest(draw):
    """What a real register answered: each operation takes effect at one moment, its call and answer around it."""
    state: State = None
    history = []
    for number in range(draw(strategies.integers(1, 14))):
        at = 10 * (number + 1)
        called, answered = at - draw(strategies.integers(0, 40)), at + draw(strategies.integers(1, 40))
        verb = draw(strategies.sampled_from([Verb.READ, Verb.WRITE, Verb.DELETE, Verb.ADD, Verb.CHANGE]))
        if verb is Verb.WRITE:
            state = number * 1000
        elif verb is Verb.DELETE:
            state = None
        elif verb is Verb.ADD and state is not None:
            state += 1
        elif verb is Verb.CHANGE and state is not None:
            state = number * 1000
        certain = verb is Verb.READ or draw(strategies.integers(0, 4)) > 0
        value = state if certain else number * 1000
        history.append(op(f"p{number}", verb, value, called, answered if certain else float("inf")))
    return history


@given(honest())
def test_what_a_register_did_passes(history):
    assert violation(history) is None


@given(honest(), strategies.integers(1, 10_000))
def test_a_read_of_what_nobody_wrote_never_passes(history, value):
    history.append(op("liar", Verb.READ, -value - 1, 5, 10_000))
    assert violation(history)


@given(honest())
def test_a_read_behind_everything_tells_the_last_state(history):
    """With every outcome known and nothing at the same time, exactly one last read passes."""
    known = [operation for operation in history if operation.certain]
    one_by_one = [replace(operation, called=4 * n, answered=4 * n + 2) for n, operation in enumerate(known)]
    if violation(one_by_one) is not None or not one_by_one:
        return
    end = 4 * len(one_by_one)
    values = {operation.value for operation in history} | {None}
    passes = [value for value in values if violation([*one_by_one, op("z", Verb.READ, value, end, end + 2)]) is None]
    assert len(passes) <= 1
