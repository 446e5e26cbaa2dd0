"""What requests take of their upstreams, and give back."""

from strangler_proxy.gateway import Breaker, Bulkhead, Resilience, Retry
from strangler_proxy.resilience.guards import Guard, Guards, Known, Refused
from strangler_proxy.routes import Upstream

REVIEWS = Upstream(name="reviews", url="http://127.0.0.1:8002")
SHOP = Upstream(name="monolith", url="http://127.0.0.1:8001")


def guards(now):
    return Guards(clock=lambda: now[0])


def test_each_upstream_and_policy_has_its_own_circuit():
    now = [0.0]
    known, terms = guards(now), Resilience(breaker=Breaker(failures=1, seconds=5))
    guard = known.enter(None, REVIEWS, "/", terms)
    known.over(guard, False)
    assert known.enter(None, REVIEWS, "/", terms) == Refused(why="reviews is not well", seconds=5)
    assert isinstance(known.enter(None, SHOP, "/", terms), Guard)
    assert isinstance(known.enter(None, REVIEWS, "/api/", terms), Guard)
    now[0] = 5.0
    guard = known.enter(None, REVIEWS, "/", terms)
    assert isinstance(known.enter(None, REVIEWS, "/", terms), Refused)
    known.over(guard, None)  # its client went away: the next one is to tell
    known.over(known.enter(None, REVIEWS, "/", terms), True)
    assert isinstance(known.enter(None, REVIEWS, "/", terms), Guard)


def test_a_request_that_goes_elsewhere_gives_its_place_back():
    known, terms = guards([0.0]), Resilience(bulkhead=Bulkhead(most=1))
    guard = known.enter(None, REVIEWS, "/", terms)
    assert isinstance(known.enter(None, REVIEWS, "/", terms), Known)
    guard = known.enter(guard, SHOP, "/", terms)
    assert isinstance(known.enter(None, REVIEWS, "/", terms), Guard)
    known.over(guard, True)
    known.over(guard, True)  # the second time it has nothing
    assert isinstance(known.enter(None, SHOP, "/", terms), Guard)
    assert isinstance(known.enter(None, SHOP, "/", terms), Known)


def test_a_read_is_sent_again_a_few_times_within_the_budget_and_not_to_an_upstream_that_rests():
    known, terms = guards([0.0]), Resilience(retry=Retry(times=2, reserve=3, share=0.0001))
    first, second = (known.enter(None, REVIEWS, "/", terms) for _ in range(2))
    assert [known.retry(first) for _ in range(3)] == [True, True, False]
    assert [known.retry(second) for _ in range(2)] == [True, False]
    terms = Resilience(retry=Retry(times=5), breaker=Breaker(failures=2))
    guard = known.enter(None, REVIEWS, "/", terms)
    known.failed(guard)
    assert known.retry(guard)
    known.failed(guard)
    assert not known.retry(guard)
