import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.rollout.rollout import Wish
from strangler.rollout.verdict import Outcome, Verdict
from strangler.rollout.watch import UNWELL_SECONDS, Next, Watch, after, unwell

watches = st.builds(
    Watch, soak=st.floats(0, 100), patience=st.floats(0, 100), control=st.integers(0, 5_000), reverse=st.booleans()
)
spent = st.floats(0, 200)
GOOD, BAD, OPEN = (Verdict(outcome=outcome, reason="so") for outcome in Outcome)


@given(watches, spent, st.sampled_from([Wish.GO_ON, Wish.PAUSE]))
def test_inconclusive_never_lets_a_switch_last(watch, spent, wish):
    assert after(watch, OPEN, spent=spent, wish=wish) in (Next.STAY, Next.FREEZE)


@given(watches, spent, st.sampled_from([Wish.GO_ON, Wish.PAUSE, Wish.PROMOTE]))
def test_a_failure_goes_back_or_freezes_as_the_plan_says_whatever_is_wished(watch, spent, wish):
    assert after(watch, BAD, spent=spent, wish=wish) is (Next.REVERSE if watch.reverse else Next.FREEZE)


@given(watches, spent)
def test_a_success_ends_it_once_it_has_lasted_and_never_freezes_before(watch, spent):
    follows = after(watch, GOOD, spent=spent)
    assert (follows is Next.END) is (spent >= watch.soak)
    assert follows in (Next.END, Next.STAY) or spent >= max(watch.patience, watch.soak)


@given(watches, spent, st.sampled_from([GOOD, BAD, OPEN]))
def test_an_abort_goes_back_and_a_promotion_ends_what_has_not_failed(watch, spent, verdict):
    assert after(watch, verdict, spent=spent, wish=Wish.ABORT) is Next.REVERSE
    assert (after(watch, verdict, spent=spent, wish=Wish.PROMOTE) is Next.END) is (verdict is not BAD)


@given(watches, spent, st.sampled_from([GOOD, OPEN]))
def test_a_pause_waits_without_end(watch, spent, verdict):
    assert after(watch, verdict, spent=spent, wish=Wish.PAUSE) is Next.STAY


def test_one_look_that_is_not_possible_is_no_failure_and_many_in_a_row_are():
    assert unwell("nobody answers", 0).outcome is Outcome.INCONCLUSIVE
    assert unwell("nobody answers", UNWELL_SECONDS).outcome is Outcome.FAILED


@pytest.mark.parametrize("wrong", [{"control": 5_001}, {"control": -1}, {"soak": -1}, {"patience": -1}])
def test_a_watch_that_means_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match=r"must lie between 0 and 5000|are seconds from 0"):
        Watch(**wrong)
