"""The one that follows all moves, and brings to rest what an executor left."""

import threading
import time

import pytest

from strangler.split import Side, daemon


@pytest.fixture
def following(shop, traffic):
    """The daemon at work on the shop's move."""
    stop = threading.Event()
    running = threading.Thread(target=daemon.run, args=(lambda: [shop.move], lambda move: traffic, stop))
    running.start()
    yield
    stop.set()
    running.join(timeout=20)
    assert not running.is_alive()


def wait_for(what, seconds=10):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_changes_follow_in_both_directions(shop, traffic, following):
    shop.bring()
    shop.add_review(Side.SOURCE, "there")
    there = "SELECT EXISTS (SELECT FROM review WHERE author = 'there')"
    wait_for(lambda: shop.target.execute(there).fetchone() == (True,))
    shop.move.switch(Side.TARGET, traffic)
    shop.add_review(Side.TARGET, "back")
    back = "SELECT EXISTS (SELECT FROM review WHERE author = 'back')"
    wait_for(lambda: shop.source.execute(back).fetchone() == (True,))
    assert shop.move.status().lag_seconds[Side.SOURCE] < 5


def test_a_move_that_nobody_owns_is_gone_back_on(shop, traffic, following):
    """An executor died behind the fence, and nobody is there to run another one."""
    shop.bring()
    shop.source.execute("SELECT strangler.set_owner('0001_reviews', 1, false, 1, false, '[]')")
    began = time.monotonic()
    wait_for(lambda: shop.move.picture().owner is Side.SOURCE)
    assert time.monotonic() - began > daemon.ORPHANED - 0.5
    shop.add_review(Side.SOURCE, "taken again")
    wait_for(lambda: ("publish", Side.SOURCE, 2, 0, 0) in traffic.asked)


def test_a_cancelled_move_is_left_alone_and_a_new_one_followed(shop, following):
    shop.bring()
    shop.move.cancel()
    shop.bring()
    shop.add_review(Side.SOURCE, "again")
    there = "SELECT EXISTS (SELECT FROM review WHERE author = 'again')"
    wait_for(lambda: shop.target.execute(there).fetchone() == (True,))
