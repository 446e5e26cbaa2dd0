"""Guards that only a case of their own shows: each of these tests fails where its guard is taken away."""

import threading
import time

import psycopg
import pytest

from strangler.split import Limits, Refused, Side, SplitError, SwitchAborted
from strangler.split.cutover import Step
from strangler.split.recent import batches, forget, unverified
from tests.integration.split.conftest import BROUGHT


@BROUGHT
def test_a_sleeper_before_the_fence_finds_the_epoch_of_a_recovery(shop, traffic):
    def recover_meanwhile(step, facts):
        if step is Step.FENCE:
            assert shop.move.recover(traffic).owner is Side.SOURCE

    with pytest.raises(SwitchAborted, match="ownership of move"):
        shop.move.switch(Side.TARGET, traffic, on_step=recover_meanwhile)
    assert shop.move.picture().owner is Side.SOURCE


@BROUGHT
def test_a_sequence_is_never_set_back(shop):
    shop.source.execute(
        "SELECT strangler.set_owner('0001_reviews', 1, true, 1, false, %s)",
        ('[{"relation": "public.review", "attribute": "id", "at_least": 5}]',),
    )
    number = shop.source.execute("SELECT nextval(pg_get_serial_sequence('review', 'id'))").fetchone()[0]
    assert number == 1_001


@BROUGHT
def test_a_way_back_that_does_not_work_refuses_the_switch(shop, traffic):
    shop.target.execute(
        "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
        "CREATE TRIGGER swallow BEFORE INSERT ON strangler.changes FOR EACH ROW EXECUTE FUNCTION swallow()"
    )
    with pytest.raises(Refused, match="a heartbeat did not come back"):
        shop.move.switch(Side.TARGET, traffic, limits=Limits(heartbeat=0.3))
    assert shop.move.picture().owner is Side.SOURCE


@BROUGHT
def test_a_lag_refuses_the_switch(shop, traffic):
    shop.add_review(Side.SOURCE)
    with pytest.raises(Refused, match="1 changes wait to be applied, more than 0"):
        shop.move.switch(Side.TARGET, traffic, limits=Limits(pending=0))


@pytest.mark.parametrize(
    ("side", "statement", "why"),
    [
        (Side.SOURCE, "ALTER TABLE vote DISABLE TRIGGER USER", 'the capture on "public.vote" does not run'),
        (Side.TARGET, "ALTER TABLE vote DISABLE TRIGGER USER", 'the capture on "public.vote" does not run'),
        (Side.TARGET, "ALTER TABLE review DISABLE TRIGGER strangler_fence", 'the fence on "public.review" is in state'),
        (Side.TARGET, "ALTER TABLE review ENABLE TRIGGER strangler_fence", 'the fence on "public.review" is in state'),
    ],
)
@BROUGHT
def test_a_capture_or_a_fence_that_was_switched_off_refuses_the_switch(shop, traffic, side, statement, why):
    shop.connection(side).execute(statement)
    with pytest.raises(Refused, match=why):
        shop.move.switch(Side.TARGET, traffic)


@BROUGHT
def test_what_is_applied_during_a_comparison_stays_to_be_compared(shop):
    with shop.move.session() as session:
        upto = batches(session.source, session.target, session.move)
        shop.add_review(Side.SOURCE)
        session.apply_once()
        forget(session.source, session.target, session.move, upto)
        found = unverified(session.source, session.target, session.move)
        assert [len(keys) for keys in found.keys.values()] == [1]


@BROUGHT
def test_a_cancel_that_was_overtaken_by_a_switch_takes_nothing_away(shop, traffic, source_dsn, target_dsn):
    failures = []

    def cancel():
        try:
            shop.move.cancel()
        except SplitError as error:
            failures.append(str(error))

    with psycopg.connect(source_dsn) as source, psycopg.connect(target_dsn) as target:
        # It has looked who owns, and waits for its turn.
        for connection in (source, target):
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('0001_reviews', 7270))")
        cancelling = threading.Thread(target=cancel)
        cancelling.start()
        while not any(
            connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'").fetchone()[
                0
            ]
            for connection in (source, target)
        ):
            time.sleep(0.01)
        shop.move.switch(Side.TARGET, traffic)
        reference = shop.add_review(Side.TARGET, "written at the new owner")
    cancelling.join(timeout=20)
    assert shop.target.execute("SELECT count(*) FROM review WHERE reference = %s", (reference,)).fetchone() == (1,)
    assert shop.move.picture().owner is Side.TARGET
    assert "ownership of move" in failures[0]
