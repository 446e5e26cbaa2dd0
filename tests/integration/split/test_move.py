"""A move between two PostgreSQL databases: what test_engines.py does not tell for all engines."""

import threading
import time
from dataclasses import replace

import psycopg
import pytest

from strangler.split import Move, Refused, Side, SplitError, SwitchAborted, recent
from strangler.split.cutover import Step
from strangler.split.limits import Limits
from strangler.split.status import Routing
from strangler.split.verification import Difference
from tests.integration.split.conftest import BOTH, BROUGHT, SPEC

OPEN = "INSERT INTO review (reference, product_id, author) VALUES (gen_random_uuid(), 1, 'open')"


@BROUGHT
def test_a_changed_key_leaves_no_row_behind(shop):
    shop.source.execute("DELETE FROM vote WHERE review_id = 3")
    shop.source.execute("UPDATE review SET id = 5000000 WHERE id = 3")
    shop.move.catch_up()
    assert shop.move.verify().equal
    assert shop.target.execute("SELECT count(*) FROM review WHERE id IN (3, 5000000)").fetchone() == (1,)


@BOTH
def test_a_truncated_table_is_brought_over_whole(shop):
    shop.bring()
    shop.source.execute("TRUNCATE vote")
    shop.source.execute("INSERT INTO vote (review_id, voter, helpful) SELECT id, 'new', true FROM review LIMIT 10")
    shop.move.catch_up()
    assert shop.count(Side.TARGET, "vote") == 10
    assert shop.move.verify().equal


@BOTH
def test_a_unique_value_that_wanders_between_rows_is_followed(shop):
    shop.bring()
    with shop.source.transaction():
        shop.source.execute("UPDATE review SET author = 'tmp' WHERE id = 100")
        shop.source.execute("UPDATE review SET author = 'author 100' WHERE id = 200")
        shop.source.execute("UPDATE review SET author = 'author 200' WHERE id = 100")
    shop.move.catch_up()
    assert shop.move.verify().equal


@BOTH
def test_a_row_of_an_open_transaction_is_not_skipped(shop, source_dsn):
    """The change with the lower number commits after the higher one was applied."""
    shop.bring()
    with psycopg.connect(source_dsn) as slow:
        slow.execute("UPDATE review SET body = 'slow' WHERE id = 10")
        shop.source.execute("UPDATE review SET body = 'fast' WHERE id = 11")
        shop.move.apply_once()
        slow.commit()
    shop.move.catch_up()
    assert shop.move.verify().equal
    assert shop.target.execute("SELECT body FROM review WHERE id = 10").fetchone() == ("slow",)


@BROUGHT
def test_the_target_refuses_writers_from_the_start(shop):
    with pytest.raises(psycopg.DatabaseError) as refused:
        shop.add_review(Side.TARGET)
    assert refused.value.sqlstate == "SF001"
    assert '"term": 0' in refused.value.diag.message_detail.replace('" :', '":')
    with pytest.raises(psycopg.DatabaseError, match="read-only copy"):
        shop.target.execute("UPDATE product SET name = 'x'")


@BROUGHT
def test_the_new_owner_gives_out_numbers_behind_the_old_ones(shop, traffic):
    shop.move.switch(Side.TARGET, traffic)
    shop.add_review(Side.TARGET, "first at the target")
    ids = shop.target.execute("SELECT max(id) FROM review").fetchone()
    assert ids == (1001,)


def test_a_switch_refuses_with_every_reason_at_once(shop, traffic):
    shop.move.create()
    with pytest.raises(Refused, match="copy is not complete") as refused:
        shop.move.switch(Side.TARGET, traffic)
    assert "never compared" in str(refused.value)
    assert not traffic.asked


@BROUGHT
def test_a_transaction_left_open_across_the_switch_is_waited_for(shop, traffic, source_dsn):
    open_one = psycopg.connect(source_dsn)
    commit = threading.Timer(0.3, open_one.commit)

    def write(step, facts):
        if step is Step.FENCE:
            open_one.execute(OPEN)
            commit.start()

    report = shop.move.switch(Side.TARGET, traffic, on_step=write, limits=Limits(lock=5))
    commit.join()
    open_one.close()
    assert report.pause_ms > 250
    assert shop.target.execute("SELECT count(*) FROM review WHERE author = 'open'").fetchone() == (1,)


@BROUGHT
def test_a_transaction_that_is_open_before_the_switch_refuses_it(shop, traffic, source_dsn):
    with psycopg.connect(source_dsn) as open_one:
        open_one.execute(OPEN)
        with pytest.raises(Refused, match="has held tables of the source for more than 0 s"):
            shop.move.switch(Side.TARGET, traffic, limits=Limits(transaction_age=0))
    assert not traffic.asked


@BROUGHT
def test_an_old_snapshot_cannot_write_past_the_fence(shop, traffic, source_dsn):
    with psycopg.connect(source_dsn) as old:
        old.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        old.execute("SELECT count(*) FROM product")
        shop.move.switch(Side.TARGET, traffic)
        with pytest.raises(psycopg.DatabaseError) as refused:
            old.execute("INSERT INTO review (reference, product_id, author) VALUES (gen_random_uuid(), 1, 'late')")
        assert refused.value.sqlstate == "SF001"


@BROUGHT
def test_a_writing_transaction_on_another_table_holds_nothing_up(shop, traffic, source_dsn):
    """Nothing waits for it, and what it writes to a moved table later meets the fence."""
    with psycopg.connect(source_dsn) as busy:
        busy.execute("UPDATE product SET price = 1 WHERE id = 1")
        shop.add_review(Side.SOURCE, "meanwhile")
        assert shop.move.switch(Side.TARGET, traffic).pause_ms < 1_000
        with pytest.raises(psycopg.DatabaseError, match="owned elsewhere"):
            busy.execute(OPEN)
    assert shop.target.execute("SELECT count(*) FROM review WHERE author = 'meanwhile'").fetchone() == (1,)


@BOTH
def test_a_transaction_older_than_a_switch_there_and_back_is_not_skipped(shop, traffic, source_dsn):
    """It began before everything, and writes its first row after both switches: a position would have passed it."""
    shop.bring()
    with psycopg.connect(source_dsn) as busy:
        busy.execute("UPDATE product SET price = 1 WHERE id = 1")
        shop.move.switch(Side.TARGET, traffic)
        shop.move.switch(Side.SOURCE, traffic)
        shop.add_review(Side.SOURCE, "younger")
        shop.move.catch_up()
        busy.execute(OPEN)
        busy.commit()
    shop.move.switch(Side.TARGET, traffic)
    assert shop.target.execute("SELECT count(*) FROM review WHERE author = 'open'").fetchone() == (1,)
    assert shop.move.verify().equal


@BROUGHT
def test_a_switch_that_goes_back_opens_the_old_owner_under_a_new_term(shop, traffic):
    def corrupt(step, facts):
        if step is Step.HOLD:
            shop.source.execute("UPDATE vote SET helpful = NOT helpful WHERE review_id = 5")
        if step is Step.VERIFY:
            with shop.target.transaction():
                shop.target.execute("SET LOCAL session_replication_role = replica")
                shop.target.execute("SET LOCAL ROLE strangler_applier")
                shop.target.execute("DELETE FROM vote WHERE review_id = 5")

    with pytest.raises(SwitchAborted, match="missing at the target"):
        shop.move.switch(Side.TARGET, traffic, on_step=corrupt)
    picture = shop.move.picture()
    assert (picture.owner, picture.term) == (Side.SOURCE, 2)
    assert traffic.asked[-2:] == [("publish", Side.SOURCE, 2, 0, 0), ("release",)]
    shop.add_review(Side.SOURCE, "open again")


@BROUGHT
def test_a_sleeper_cannot_commit_after_somebody_recovered(shop, traffic):
    """An executor wakes before its commit point; another one has gone back meanwhile."""

    def recover_meanwhile(step, facts):
        if step is Step.COMMIT:
            assert shop.move.recover(traffic).owner is Side.SOURCE

    with pytest.raises(SwitchAborted):
        shop.move.switch(Side.TARGET, traffic, on_step=recover_meanwhile)
    assert shop.move.picture().owner is Side.SOURCE
    shop.add_review(Side.SOURCE, "still the owner")


@BOTH
def test_a_rogue_write_at_the_target_is_noticed(shop):
    shop.bring()
    shop.target.execute("ALTER TABLE review DISABLE TRIGGER strangler_fence")
    shop.target.execute("UPDATE review SET body = 'rogue' WHERE id = 1")
    with pytest.raises(SplitError, match="past the fence of the target"):
        shop.move.catch_up()


@BROUGHT
def test_lost_checkpoints_are_refused_and_named(shop, traffic):
    shop.target.execute("DELETE FROM strangler.streams")
    shop.add_review(Side.SOURCE)
    with pytest.raises(SplitError, match="the checkpoint of 0001_reviews from the source to the target is lost"):
        shop.move.catch_up()
    with pytest.raises(SplitError, match=r"the checkpoint of .* is lost"):
        shop.move.switch(Side.TARGET, traffic)
    assert shop.move.picture().owner is Side.SOURCE


@BOTH
def test_a_receiver_that_was_set_back_in_time_is_a_gap(shop):
    shop.bring()
    shop.add_review(Side.SOURCE)
    shop.move.catch_up()
    shop.target.execute("UPDATE strangler.streams SET batch = batch - 1")
    shop.add_review(Side.SOURCE, "behind the gap")
    with pytest.raises(SplitError, match="the target knows 0 only: it was set back in time"):
        shop.move.catch_up()


@BROUGHT
def test_a_sender_that_was_set_back_in_time_is_noticed(shop):
    for author in ("one", "two"):
        shop.add_review(Side.SOURCE, author)
        shop.move.catch_up()
    shop.source.execute("UPDATE strangler.streams SET acknowledged = acknowledged - 2")
    shop.add_review(Side.SOURCE, "three")
    with pytest.raises(SplitError, match="the source knows 0 only: it was set back in time"):
        shop.move.catch_up()


def test_a_log_beyond_its_limit_stops_the_capture_and_not_the_application(shop, source_dsn, target_dsn, traffic):
    """The disk of the source never fills; the move says that it is lost."""
    shop.move = Move(replace(SPEC, log_limit=256 * 1024), source_dsn, target_dsn)
    shop.bring()
    for batch in range(4):
        shop.source.execute(
            "INSERT INTO vote (review_id, voter, helpful) SELECT id, 'many ' || n, true "
            "FROM review CROSS JOIN generate_series(%s::int, %s::int) n",
            (batch * 3 + 1, batch * 3 + 3),
        )
    assert shop.count(Side.SOURCE, "vote") == 13_000
    logged = shop.source.execute("SELECT count(*) FROM strangler.changes").fetchone()
    assert logged is not None and logged[0] < 9_000
    with pytest.raises(SplitError, match="was stopped: its log of changes had grown to the limit of 256 kB"):
        shop.move.catch_up()
    with pytest.raises(Refused, match="the capture of the source was stopped"):
        shop.move.switch(Side.TARGET, traffic)
    shop.move.cancel()
    shop.bring()
    assert shop.count(Side.TARGET, "vote") == 13_000


@BROUGHT
def test_a_column_added_to_both_sides_is_followed_and_asks_for_a_verification(shop, traffic):
    with shop.move.session() as session:
        shop.source.execute("ALTER TABLE review ADD COLUMN mood text")
        shop.source.execute("UPDATE review SET mood = 'glad' WHERE id = 1")
        with pytest.raises(SplitError, match="were altered"):
            session.apply_once()
    with pytest.raises(Refused, match='only the source has "mood text"'):
        shop.move.catch_up()
    shop.target.execute("ALTER TABLE review ADD COLUMN mood text")
    shop.move.catch_up()
    assert shop.target.execute("SELECT mood FROM review WHERE id = 1").fetchone() == ("glad",)
    with pytest.raises(Refused, match="were altered since the last verification"):
        shop.move.switch(Side.TARGET, traffic)
    assert shop.move.verify().equal
    shop.move.switch(Side.TARGET, traffic)


@BROUGHT
def test_a_restored_backup_is_recognised_by_its_epoch(shop, traffic):
    shop.move.switch(Side.TARGET, traffic)
    shop.move.switch(Side.SOURCE, traffic)
    shop.target.execute("UPDATE strangler.ownership SET epoch = 0")
    with pytest.raises(SplitError, match="restored from a backup"):
        shop.move.switch(Side.TARGET, traffic)


@BROUGHT
def test_two_owners_stop_everything(shop, traffic):
    shop.target.execute("UPDATE strangler.ownership SET owns = true")
    with pytest.raises(SplitError, match="both databases say"):
        shop.move.recover(traffic)


@BROUGHT
def test_verification_names_the_differing_rows_and_columns(shop):
    with shop.target.transaction():
        shop.target.execute("SET LOCAL session_replication_role = replica")
        shop.target.execute("SET LOCAL ROLE strangler_applier")
        shop.target.execute("UPDATE review SET body = 'corrupt', score = 0 WHERE id = 7")
        shop.target.execute("DELETE FROM vote WHERE id = 9")
        shop.target.execute("INSERT INTO product VALUES (4711, 'made up')")
    verification = shop.move.verify()
    assert {str(difference) for difference in verification.differences} == {
        "public.review 7: differs in body, score",
        "public.vote 9: missing at the target",
        "public.product 4711: only at the target",
    }


@BROUGHT
def test_a_switch_is_refused_after_a_verification_that_found_differences(shop, traffic):
    with shop.target.transaction():
        shop.target.execute("SET LOCAL session_replication_role = replica")
        shop.target.execute("SET LOCAL ROLE strangler_applier")
        shop.target.execute("DELETE FROM vote WHERE id = 9")
    assert not shop.move.verify().equal
    with pytest.raises(Refused, match="found 1 rows that differ"):
        shop.move.switch(Side.TARGET, traffic)


@BROUGHT
def test_many_keys_are_compared_a_slice_at_a_time(shop, traffic, monkeypatch):
    monkeypatch.setattr(recent, "SLICE", 10)
    for begin in range(1, 100, 9):
        shop.source.execute("UPDATE review SET body = 'new' WHERE id BETWEEN %s AND %s", (begin, begin + 8))
        shop.move.catch_up()
    with shop.move.session() as session:
        first = recent.unverified(session.source, session.target, SPEC.name)
        assert (len(first.keys["review"]), first.complete) == (18, False)
        with psycopg.connect(shop.move.target.dsn, autocommit=True) as rogue:
            rogue.execute("SET session_replication_role = replica; SET ROLE strangler_applier")
            rogue.execute("UPDATE review SET body = 'spoiled' WHERE id = 99")
        found = session.verify_recent()
        assert [difference.key for difference in found.differences] == [("99",)]
        left = recent.unverified(session.source, session.target, SPEC.name)
        assert (len(left.keys["review"]), ("99",) in left.keys["review"], left.complete) == (9, True, True)
    shop.source.execute("UPDATE review SET body = 'newer' WHERE id = 99")
    with shop.move.session() as session:
        assert session.verify_recent().equal
        assert recent.unverified(session.source, session.target, SPEC.name).keys == {}


@BROUGHT
def test_more_keys_than_a_pause_has_time_for_give_the_switch_up(shop, traffic, monkeypatch):
    monkeypatch.setattr(recent, "SLICE", 3)

    def write_much(step, facts):
        if step is Step.HOLD:
            for product in range(10, 15):
                shop.add_review(Side.SOURCE, "late", product)
                shop.move.catch_up()

    with pytest.raises(SwitchAborted, match="more keys came behind the gates than can be compared while nobody writes"):
        shop.move.switch(Side.TARGET, traffic, on_step=write_much)
    assert shop.move.switch(Side.TARGET, traffic).changes == 0


@BOTH
def test_cancel_leaves_nothing_but_the_ownership_rows_and_can_be_created_again(shop, traffic):
    shop.bring()
    shop.move.switch(Side.TARGET, traffic)
    with pytest.raises(Refused, match="reverse it first"):
        shop.move.cancel()
    shop.move.switch(Side.SOURCE, traffic)
    term = shop.move.picture().term
    shop.move.cancel()
    shop.move.cancel()
    assert shop.count(Side.TARGET, "review") == 0
    triggers = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'strangler%'"
    assert shop.source.execute(triggers).fetchone() == shop.target.execute(triggers).fetchone() == (0,)
    shop.bring()
    assert shop.move.picture().term == term
    assert shop.move.switch(Side.TARGET, traffic).term == term + 1


@BOTH
def test_complete_closes_the_way_back_and_leaves_tombstones(shop, traffic):
    shop.bring()
    with pytest.raises(Refused, match="switch it to the target first"):
        shop.move.complete(traffic)
    shop.move.switch(Side.TARGET, traffic)
    before = shop.move.set_weight(500, 100)
    assert not before.final
    shop.move.complete(traffic)
    assert shop.move.routing() == replace(before, weight=0, shadow=0, final=True)
    shop.move.complete(traffic)
    with pytest.raises(Refused, match="complete"):
        shop.move.switch(Side.SOURCE, traffic)
    with pytest.raises(
        Refused, match=r"is complete, and its tables at the source are tombstones, .* look at these rows"
    ):
        shop.move.repair([Difference(table="public.review", key=("1",), what="missing at the target")])
    with pytest.raises(psycopg.DatabaseError, match="owned elsewhere"):
        shop.add_review(Side.SOURCE)
    shop.source.execute("UPDATE product SET name = 'still followed' WHERE id = 1")
    shop.move.catch_up()
    assert shop.target.execute("SELECT name FROM product WHERE id = 1").fetchone() == ("still followed",)


@BROUGHT
def test_the_canary_weight_is_versioned_within_the_term(shop, traffic):
    assert (shop.move.set_weight(100).n, shop.move.set_weight(1000).n) == (1, 2)
    assert shop.move.routing().weight == 1000
    early = shop.move.set_weight(0, 0, early=True)
    assert (early.n, early.weight, early.early) == (3, 0, True)
    shop.move.switch(Side.TARGET, traffic)
    routing = shop.move.routing()
    assert routing == Routing(owner=Side.TARGET, term=2, n=0, weight=0)


@BOTH
def test_the_daemons_heartbeats_do_not_hide_the_executors(shop):
    shop.bring()
    with shop.move.session() as session:
        beats = session.send_heartbeats()
        assert session.send_heartbeats() == {side: beat + 1 for side, beat in beats.items()}
        assert session.beat(2)


@BROUGHT
def test_a_target_that_was_made_anew_after_a_cancel_is_taken(shop, traffic):
    shop.move.switch(Side.TARGET, traffic)
    shop.move.switch(Side.SOURCE, traffic)
    shop.move.cancel()
    shop.target.execute("DROP SCHEMA strangler CASCADE")
    shop.bring()
    assert shop.move.switch(Side.TARGET, traffic).owner is Side.TARGET


@BROUGHT
def test_an_autovacuum_makes_way_for_the_fence(shop, traffic, source_dsn):
    """An autovacuum that works slowly on a moved table: a plain lock timeout would never outwait it."""
    shop.source.execute("ALTER SYSTEM SET autovacuum_naptime = '1s'")
    shop.source.execute(
        "ALTER TABLE review SET (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0, "
        "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)"
    )
    shop.source.execute("SELECT pg_reload_conf()")
    working = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'autovacuum:%public.review%'"
    try:
        shop.source.execute("UPDATE review SET body = body || '!'")
        deadline = time.monotonic() + 20
        while shop.source.execute(working).fetchone() == (0,):
            assert time.monotonic() < deadline, "no autovacuum came"
            time.sleep(0.02)
        report = shop.move.switch(Side.TARGET, traffic, limits=Limits(fence_attempts=1))
        assert report.pause_ms < 500
    finally:
        shop.source.execute("ALTER SYSTEM RESET autovacuum_naptime")
        shop.source.execute("SELECT pg_reload_conf()")
