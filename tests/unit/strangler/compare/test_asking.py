import pytest

from strangler.compare.asking import Attempt, interrupted, judged
from strangler.compare.promises import Kept, Promise


def attempts(*kinds, every=1.0, seconds=0.1):
    return [
        Attempt(promise="page", began=number * every, seconds=seconds, kept=kept) for number, kept in enumerate(kinds)
    ]


K, P, S, F = Kept.KEPT, Kept.POORER, Kept.SLOW, Kept.FAILED


@pytest.mark.parametrize(
    ("kinds", "word"),
    [
        ((), "not asked"),
        ((K, K), "keeps"),
        ((K, P), "poorer"),
        ((P, S), "slow"),
        ((K, F), "partly fails"),
        ((F,), "fails"),
    ],
)
def test_a_promise_is_as_well_kept_as_its_worst_answer(kinds, word):
    assert judged(attempts(*kinds)) == word


def test_an_interruption_lasts_from_the_first_bad_answer_to_the_next_good_one():
    assert interrupted(attempts(K, K, P)) == 0
    assert interrupted(attempts(K, F, S, K, F, K)) == 2
    assert interrupted(attempts(K, F, F, seconds=0.5)) == pytest.approx(1.5)


def test_an_answer_that_is_late_is_slow_and_one_that_fails_is_not():
    def late(person, within):
        return person

    promise = Promise(name="x", words="x", within=0, ask=late)
    assert [promise.kept(kind)[0] for kind in (K, P, F)] == [S, S, F]
