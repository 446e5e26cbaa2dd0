"""Guards that only a case of their own shows: each of these tests fails where its guard is taken away."""

import threading
import time
from dataclasses import replace

import psycopg
import pytest

from strangler.split import Limits, Refused, Side, SplitError, SwitchAborted
from strangler.split.applier import apply_once
from strangler.split.cutover import Step
from strangler.split.errors import Busy, Gap
from strangler.split.ownership import compare_and_set
from strangler.split.recent import batches, forget, unverified
from strangler.split.store import Role
from tests.integration.split.conftest import BOTH, BROUGHT, Meanwhile


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


@BOTH
def test_a_row_that_commits_while_others_are_applied_stays_in_the_log(shop, source_dsn):
    """Its number is lower than theirs; it was not to be seen when they were read."""
    shop.bring()
    with psycopg.connect(source_dsn) as slow, shop.move.session() as session:
        slow.execute("UPDATE review SET body = 'slow' WHERE id = 10")
        shop.source.execute("UPDATE review SET body = 'fast' WHERE id = 11")
        stream = session.streams[Side.SOURCE]
        stream.log.end()
        assert apply_once(replace(stream, log=Meanwhile(stream.log, before_it_forgets=slow.commit))) == 1
    shop.move.catch_up()
    assert shop.target.execute("SELECT body FROM review WHERE id = 10").fetchone() == ("slow",)


@BROUGHT
def test_an_applier_waits_for_its_turn_before_it_looks(shop):
    """What it saw before would be older than what the one before it has brought."""
    shop.add_review(Side.SOURCE)
    with (
        shop.move.session() as session,
        shop.move.session() as other,
        shop.move.target.connect(Role.APPLIER, lock_timeout=0.2) as receiver,
    ):
        stream, looked = session.streams[Side.SOURCE], []
        theirs = Meanwhile(other.streams[Side.SOURCE].log, while_it_reads=lambda: looked.append(1))

        def another():
            with pytest.raises(Busy):
                apply_once(replace(other.streams[Side.SOURCE], log=theirs, receiver=receiver))

        assert apply_once(replace(stream, log=Meanwhile(stream.log, while_it_reads=another))) == 1
    assert looked == []


@BROUGHT
def test_an_applier_that_goes_on_notices_a_side_that_was_set_back_in_time(shop):
    """Nobody opens a session anew, where all would be looked at: the server was replaced behind an open one."""
    with shop.move.session() as session:
        shop.add_review(Side.SOURCE)
        assert apply_once(session.streams[Side.SOURCE]) == 1
        shop.target.execute("UPDATE strangler.streams SET batch = batch - 1")
        shop.add_review(Side.SOURCE, "behind the gap")
        with pytest.raises(Gap, match="was set back in time"):
            apply_once(session.streams[Side.SOURCE])


@BROUGHT
def test_acknowledgements_that_were_lost_one_after_the_other_are_no_gap(shop):
    def die():
        raise ConnectionError("behind the commit, before the acknowledgement")

    for author in ("one", "two"):
        shop.add_review(Side.SOURCE, author)
        with shop.move.session() as session:
            stream = session.streams[Side.SOURCE]
            with pytest.raises(ConnectionError):
                apply_once(replace(stream, log=Meanwhile(stream.log, before_it_forgets=die)))
    shop.move.catch_up()
    assert shop.move.verify().equal


@BROUGHT
def test_no_owner_is_made_while_rows_are_on_their_way_to_it(shop):
    shop.add_review(Side.SOURCE)
    with shop.move.session() as session:
        stream = session.streams[Side.SOURCE]
        seen = shop.move.picture().target

        def switch():
            with shop.move.target.connect(lock_timeout=0.2) as target:
                compare_and_set(target, shop.move.spec.name, seen, owns=True, term=2)

        with pytest.raises(Busy):
            apply_once(replace(stream, log=Meanwhile(stream.log, while_it_reads=switch)))
    assert shop.move.picture().owner is Side.SOURCE
