"""The executor dies at every step of a switch, in both directions, while people write; another one goes on.

One body for all engines. One move lives through all the deaths of its pair: whatever one of them left behind would be
in the way of the next.
"""

import multiprocessing
import os
import signal
from dataclasses import replace

import pytest

from strangler.split import Capture, Move, Side
from strangler.split.cutover import Step
from strangler.split.ownership import compare_and_set, read_ownership
from strangler.split.store import Database
from tests.integration.split.engines import ALIKE, SPEC, OwnerWatch, Writers

FORWARDS = [
    Step.PICTURE,
    Step.GATES,
    Step.HOLD,
    Step.FENCE,
    Step.CATCH_UP,
    Step.VERIFY,
    Step.COMMIT,
    Step.PUBLISH,
    Step.DONE,
]
BEHIND_THE_COMMIT = (Step.PUBLISH, Step.DONE)
FORKS = multiprocessing.get_context("forkserver")
"""A process without threads that has imported everything, and starts executors in no time."""
FORKS.set_forkserver_preload([__name__, "strangler.split.postgres", "strangler.split.mysql", "strangler.split.sqlite"])


@pytest.fixture(params=ALIKE, ids="->".join)
def shop(request, shop_of):
    with shop_of(*request.param) as opened:
        yield opened


@pytest.fixture
def logged_shop(shop_of):
    """Captured by the servers' own logs."""
    with shop_of("postgresql", "postgresql") as opened:
        opened.move = Move(replace(SPEC, capture=Capture.LOG), opened.source.dsn, opened.target.dsn)
        yield opened


class Nobody:
    """Traffic that nobody routes."""

    def hold(self, seconds):
        pass

    def release(self):
        pass

    def publish(self, owner, term, n, weight):
        pass


def execute(source, target, to, fatal):
    """What the executor's process does: a switch, or a recovery, until the fatal step."""

    def on_step(step, facts):
        if step == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    move = Move(SPEC, source, target)
    if to is None:
        move.recover(Nobody(), on_step=on_step)
    else:
        move.switch(to, Nobody(), on_step=on_step)


def die(shop, to, step):
    """Let an executor begin and be killed at the step."""
    executor = FORKS.Process(target=execute, args=(shop.source.dsn, shop.target.dsn, to, step))
    executor.start()
    executor.join(timeout=60)
    assert executor.exitcode == -signal.SIGKILL, f"{step}: {executor.exitcode}"


def test_the_next_executor_brings_it_to_rest_and_nothing_is_lost(shop, traffic):
    survive(shop, traffic, FORWARDS)


def test_so_it_is_where_the_servers_own_log_is_read(logged_shop, traffic):
    survive(logged_shop, traffic, (Step.FENCE, Step.VERIFY, Step.PUBLISH))


def survive(shop, traffic, steps):
    shop.bring()
    with OwnerWatch(shop=shop) as watch, Writers(shop=shop) as writers:
        for step in steps:
            for to in Side.TARGET, Side.SOURCE:
                written = len(writers.acknowledged)
                die(shop, to, step)
                picture = shop.move.recover(traffic)
                committed = step in BEHIND_THE_COMMIT
                assert picture.owner is (to if committed else to.other), (to, step)
                assert traffic.asked[-2][:2] == ("publish", picture.owner)
                if not committed:
                    shop.move.switch(to, traffic)
                assert shop.move.picture().owner is to
                assert len(writers.acknowledged) > written, (to, step)
    shop.move.catch_up()
    assert writers.failures == []
    assert watch.looks > 0
    assert watch.two_owners == 0
    for side in Side:
        assert set(writers.acknowledged) <= shop.of(side).references()
        assert shop.of(side).run("SELECT reference FROM review GROUP BY reference HAVING count(*) > 1") == []
    assert shop.move.verify().equal


def test_recovery_itself_may_die(shop, traffic):
    shop.bring()
    for step in (Step.BACK_BUMP, Step.BACK_OPEN, Step.REFENCE):
        if step is not Step.REFENCE:
            # Nobody owns: an executor died behind the fence.
            with Database(name="source", dsn=shop.source.dsn).connect() as source:
                compare_and_set(source, SPEC.name, read_ownership(source, SPEC.name), owns=False)
        die(shop, None, step)
        assert shop.move.recover(traffic).owner is Side.SOURCE
        shop.source.add_review(f"the owner takes writes after {step}")
    assert shop.move.switch(Side.TARGET, traffic).owner is Side.TARGET
