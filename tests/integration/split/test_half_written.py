"""Transactions over tables that move and tables that stay, around a switch: whole, or not at all."""

from __future__ import annotations

import threading
import time

import pytest

from strangler.split import Side
from strangler.split.cutover import Step
from strangler.split.limits import Limits
from tests.integration.split.conftest import RecordedTraffic
from tests.integration.split.engines import ALIKE, Application


@pytest.mark.parametrize("pair", ALIKE, ids="->".join)
def test_a_transaction_over_tables_that_move_and_that_stay_is_written_whole_or_not_at_all(shop_of, pair):
    with shop_of(*pair) as shop:
        shop.source.run("CREATE TABLE stock (id integer NOT NULL PRIMARY KEY)")
        shop.bring()
        across, late = connected(shop), connected(shop)
        written = threading.Event()
        early = threading.Thread(target=write_both, args=(shop, written))

        def write(step, facts):
            if step is Step.FENCE and facts["attempt"] == 1:
                # SQLite has one writer at a time, for whom the fence waits whatever he writes.
                if pair[0] != "sqlite":
                    begin(across, 2)
                early.start()
                written.wait()

        shop.move.switch(Side.TARGET, RecordedTraffic(), on_step=write, limits=Limits(lock=5))
        early.join()
        begin(late, 3)
        for application in (late,) if pair[0] == "sqlite" else (late, across):
            with pytest.raises(Exception) as refused:
                application.add_review("refused")
            assert application.engine.refused(refused.value)
            # PostgreSQL makes a rollback of it. Where only the statement is undone, strangler.refusal sees to that.
            application.run("COMMIT" if pair[0] == "postgresql" else "ROLLBACK")
        assert shop.source.run("SELECT id FROM stock") == [(1,)]
        assert shop.target.run("SELECT author FROM review WHERE author IN ('early', 'refused')") == [("early",)]
        # And each alone goes on.
        begin(late, 4)
        late.run("COMMIT")
        shop.target.add_review("at the owner")
        shop.move.catch_up()
        assert shop.move.verify().equal


def connected(shop):
    return Application(engine=shop.source.engine, dsn=shop.source.dsn)


def begin(application, number):
    application.run("BEGIN")
    application.run("INSERT INTO stock VALUES (?)", (number,))


def write_both(shop, written):
    """In a thread of its own; it commits while the fence waits."""
    application = connected(shop)
    begin(application, 1)
    application.add_review("early")
    written.set()
    time.sleep(0.3)
    application.run("COMMIT")
