"""The executor dies at every step of a switch, in both directions, while people write; another one goes on."""

import os
import signal
import subprocess
import sys

import psycopg
import pytest

from strangler.split import Side
from strangler.split.cutover import Step
from strangler.workshop.owners import OwnerWatch

EXECUTOR = """
import os, signal, sys
from strangler.split import Move, MoveSpec, Replica, Side

class Nobody:
    def hold(self, seconds): pass
    def release(self): pass
    def publish(self, owner, term, n, weight): pass

source, target, to, fatal = sys.argv[1:]
spec = MoveSpec(
    name="0001_reviews", moved=("review", "vote"), replicated=(Replica(table="product", columns=("id", "name")),)
)
def on_step(step, facts):
    if step == fatal:
        os.kill(os.getpid(), signal.SIGKILL)
Move(spec, source, target).switch(Side(to), Nobody(), on_step=on_step)
"""
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


def rows(connection):
    return {row[0] for row in connection.execute("SELECT reference FROM review")}


@pytest.mark.parametrize("to", list(Side))
@pytest.mark.parametrize("step", FORWARDS)
def test_the_next_executor_brings_it_to_rest_and_nothing_is_lost(
    shop, writers, traffic, source_dsn, target_dsn, to, step
):
    shop.bring()
    if to is Side.SOURCE:
        shop.move.switch(Side.TARGET, traffic)
    with OwnerWatch(source_dsn, target_dsn, "0001_reviews") as watch, writers:
        died = subprocess.run(
            [sys.executable, "-c", EXECUTOR, source_dsn, target_dsn, to.value, step.value],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            capture_output=True,
            check=False,
        )
        assert died.returncode == -signal.SIGKILL, died.stderr.decode()
        picture = shop.move.recover(traffic)
        committed = step in (Step.PUBLISH, Step.DONE)
        assert picture.owner is (to if committed else to.other)
        assert traffic.asked[-2][:2] == ("publish", picture.owner)
        if not committed:
            shop.move.switch(to, traffic)
    shop.move.catch_up()
    assert writers.failures == []
    assert len(writers.acknowledged) > 20
    assert (watch.two_owners, watch.broken) == (0, "")
    for connection in (shop.source, shop.target):
        written = rows(connection)
        assert set(writers.acknowledged) <= written
    assert shop.move.verify().equal
    assert shop.move.picture().owner is to
    duplicates = "SELECT reference FROM review GROUP BY reference HAVING count(*) > 1"
    assert shop.target.execute(duplicates).fetchall() == []


@pytest.mark.parametrize("step", [Step.BACK_BUMP, Step.BACK_OPEN, Step.REFENCE])
def test_recovery_itself_may_die(shop, traffic, source_dsn, target_dsn, step):
    shop.bring()
    if step is not Step.REFENCE:
        # Nobody owns: an executor died behind the fence.
        with psycopg.connect(source_dsn, autocommit=True) as source:
            source.execute("SELECT strangler.set_owner('0001_reviews', 1, false, 1, false, '[]')")
    script = EXECUTOR.replace("switch(Side(to), Nobody(), on_step=on_step)", "recover(Nobody(), on_step=on_step)")
    died = subprocess.run(
        [sys.executable, "-c", script, source_dsn, target_dsn, "target", step.value],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert shop.move.recover(traffic).owner is Side.SOURCE
    shop.add_review(Side.SOURCE, "the owner takes writes")
    assert shop.move.switch(Side.TARGET, traffic).owner is Side.TARGET
