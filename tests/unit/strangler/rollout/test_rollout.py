from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.rollout.rollout import Phase, Rollout, Wish, advance, standing
from strangler.rollout.verdict import Outcome, Verdict

GOOD, BAD, OPEN = (Verdict(outcome=outcome, reason="so") for outcome in Outcome)

rollouts = st.builds(
    lambda steps, shadow, early: (
        Rollout(
            steps=tuple(sorted(steps | ({0} if early == "alone" else set()))),
            shadow=shadow,
            early=bool(steps and early),
        )
        if steps
        else Rollout(steps=(), shadow=shadow)
    ),
    st.sets(st.integers(1, 10_000), max_size=5),
    st.sampled_from([0, 1_000]),
    st.sampled_from(["", "alone", "with others"]),
)


@st.composite
def positions(draw):
    """A rollout anywhere on its way."""
    rollout = draw(rollouts)
    for _ in range(draw(st.integers(0, 8))):
        rollout = advance(rollout, GOOD, soaked=True)
    return draw(st.sampled_from([rollout, replace(rollout, phase=Phase.RETIRED, step=0)]))


@given(rollouts)
def test_success_leads_through_every_step_to_the_switch_and_no_further(rollout):
    weights, phases = [], []
    for _ in range(len(rollout.steps) + 3):
        rollout = advance(rollout, GOOD, soaked=True)
        phases.append(rollout.phase)
        weights += [rollout.weight] if rollout.phase is Phase.CANARY else []
    assert tuple(weights) == rollout.steps
    assert (Phase.SHADOW in phases) is bool(rollout.shadow)
    assert rollout.phase is Phase.SWITCHED


@given(positions(), st.booleans(), st.sampled_from([Wish.GO_ON, Wish.PAUSE]))
def test_inconclusive_never_promotes(rollout, soaked, wish):
    assert advance(rollout, OPEN, soaked=soaked, wish=wish) == rollout


@given(positions())
def test_success_does_not_promote_before_the_step_has_lasted(rollout):
    assert advance(rollout, GOOD, soaked=False) == rollout


@given(positions(), st.sampled_from(Wish))
def test_a_failure_gives_the_reads_back_whatever_is_wished(rollout, wish):
    after = advance(rollout, BAD, soaked=True, wish=wish)
    assert after.weight == 0
    assert after.phase is (Phase.RETIRED if rollout.phase is Phase.RETIRED else Phase.PLANNED)


@given(positions(), st.sampled_from([GOOD, OPEN]))
def test_a_pause_stays_where_it_is_and_an_abort_goes_back(rollout, verdict):
    assert advance(rollout, verdict, soaked=True, wish=Wish.PAUSE) == rollout
    aborted = advance(rollout, verdict, soaked=True, wish=Wish.ABORT)
    assert aborted.phase is (Phase.RETIRED if rollout.phase is Phase.RETIRED else Phase.PLANNED)


@given(positions())
def test_a_promotion_by_hand_is_one_step(rollout):
    by_hand = advance(rollout, OPEN, soaked=False, wish=Wish.PROMOTE)
    assert by_hand == advance(rollout, GOOD, soaked=True)


@given(positions())
def test_an_interrupted_canary_goes_on_where_it_stood(rollout):
    if rollout.phase in (Phase.SHADOW, Phase.CANARY):
        fresh = Rollout(steps=rollout.steps, shadow=rollout.shadow, early=rollout.early)
        assert standing(fresh, rollout.weight, rollout.shadowed, rollout.takes_early) == rollout


@given(positions())
def test_who_comes_early_is_the_candidates_in_the_canary_alone(rollout):
    assert rollout.takes_early is (rollout.early and rollout.phase is Phase.CANARY)
    assert not advance(rollout, BAD, soaked=True).takes_early


def test_a_weight_of_an_edited_plan_is_taken_for_the_step_below_it():
    assert standing(Rollout(steps=(100, 1_000)), 500).weight == 100
    assert standing(Rollout(steps=(100, 1_000)), 50).phase is Phase.PLANNED


@pytest.mark.parametrize("steps", [(0,), (10_001,), (10, 10), (100, 10)])
def test_steps_ascend_within_their_bounds(steps):
    with pytest.raises(ValueError, match="must ascend"):
        Rollout(steps=steps)


def test_who_comes_early_needs_a_canary():
    with pytest.raises(ValueError, match="those who come early need a canary"):
        Rollout(steps=(), early=True)


def test_it_says_where_it_stands():
    assert str(Rollout(steps=(1_050,), phase=Phase.CANARY)) == "canary at 10.5%"
    assert str(Rollout(steps=(1_050,))) == "planned"
