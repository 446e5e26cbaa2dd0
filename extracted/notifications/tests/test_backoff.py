from hypothesis import given
from hypothesis import strategies as st
from notifications_service.notifications.backoff import full_jitter


@given(tries=st.integers(0, 5_000))
def test_a_pause_is_drawn_from_the_whole_span_up_to_its_cap(tries):
    drawn = [full_jitter(tries, base=1, cap=60) for _ in range(20)]
    span = min(60, 2 ** min(tries, 10))
    assert 0 <= min(drawn) <= max(drawn) <= span
    assert max(drawn) - min(drawn) > span / 20
