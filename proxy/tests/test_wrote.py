"""Whether a client's last write is known to be at the candidate."""

from itertools import count

from strangler_proxy import wrote
from strangler_proxy.wrote import Wrote

MOVE = "0001_reviews"


def proxy():
    return Wrote(clock=count(1).__next__)


def cookie(header):
    return header.decode().partition(";")[0]


def test_who_has_written_nothing_is_not_behind():
    assert not proxy().behind(MOVE, "ann", ["sessionid=1"])


def test_who_has_written_is_behind_until_that_moment_has_arrived():
    one = proxy()
    before = one.now()
    one.answered(MOVE, "ann")
    one.arrived(MOVE, before)
    assert one.behind(MOVE, "ann", [])
    assert not one.behind(MOVE, "bob", [])
    assert not one.behind("0002_orders", "ann", [])
    one.arrived(MOVE, one.now())
    assert not one.behind(MOVE, "ann", [])


def test_the_last_write_counts():
    one = proxy()
    one.answered(MOVE, "ann")
    moment = one.now()
    one.answered(MOVE, "ann")
    one.arrived(MOVE, moment)
    assert one.behind(MOVE, "ann", [])


def test_a_write_through_another_proxy_is_known_by_its_cookie():
    one, other = proxy(), proxy()
    mark = cookie(one.answered(MOVE, "ann"))
    assert other.behind(MOVE, "ann", [f"sessionid=1; {mark}"])
    other.arrived(MOVE, {**other.now(), **one.now()})
    assert not other.behind(MOVE, "ann", [f"sessionid=1; {mark}"])


def test_a_mark_of_a_proxy_that_nobody_knows_stays_with_the_owner():
    gone, one = proxy(), proxy()
    mark = cookie(gone.answered(MOVE, "ann"))
    one.arrived(MOVE, one.now())
    assert one.behind(MOVE, "ann", [mark])


def test_a_cookie_that_is_none_of_ours_means_nothing():
    for forged in ("strangler_wrote.0001_reviews=x", "strangler_wrote.=abc", "strangler_wrote.0001_reviews=1.2.3"):
        assert not proxy().behind(MOVE, "ann", [forged])


def test_clients_that_are_forgotten_are_behind_until_their_last_one_has_arrived(monkeypatch):
    monkeypatch.setattr(wrote, "_REMEMBERED", 2)
    one = proxy()
    for client in ("ann", "bob", "cem"):
        one.answered(MOVE, client)
    assert one.behind(MOVE, "ann", [])
    one.arrived(MOVE, one.now())
    assert not one.behind(MOVE, "ann", [])


def test_credentials_are_not_remembered_however_long_they_are():
    one = proxy()
    for number in range(100):
        one.answered(MOVE, f"Bearer {'x' * 60_000}{number}")
    assert one.behind(MOVE, f"Bearer {'x' * 60_000}7", [])
    assert not one.behind(MOVE, f"Bearer {'x' * 60_000}", [])
    assert max(len(key) for _, key in one._last) <= 32
