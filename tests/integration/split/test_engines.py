"""The life of a move on every pair of engines, from its creation to its end."""

import threading
import time
import uuid
from contextlib import nullcontext
from dataclasses import replace

import pytest

from strangler.split import Move, Refused, Side, SplitError, SwitchAborted
from strangler.split.cutover import Step
from strangler.split.limits import Limits
from strangler.split.store import Role
from tests.integration.split.conftest import BROUGHT, is_brought
from tests.integration.split.engines import (
    PAIRS,
    REVIEW,
    REVIEWS,
    SPEC,
    OwnerWatch,
    Writers,
    a_review,
)


@pytest.fixture(params=PAIRS, ids="->".join)
def shop(request, shop_of):
    with shop_of(*request.param, brought=is_brought(request)) as opened:
        yield opened


@pytest.fixture
def writers(shop):
    return Writers(shop=shop)


def refusal(shop, side, statement, params=()):
    with pytest.raises(Exception) as refused:
        shop.of(side).run(statement, params)
    assert shop.of(side).engine.refused(refused.value), refused.value


@BROUGHT
def test_copy_and_catch_up_make_both_sides_equal(shop):
    assert (shop.target.count("review"), shop.target.count("vote")) == (REVIEWS, REVIEWS)
    assert shop.target.count("product") == 100
    assert shop.target.references() == shop.source.references()


@BROUGHT
def test_changes_of_every_kind_follow(shop):
    shop.source.run("UPDATE review SET body = 'changed' WHERE id = 1")
    shop.source.run("DELETE FROM vote WHERE review_id = 2")
    shop.source.run("DELETE FROM review WHERE id = 2")
    shop.source.run("UPDATE product SET name = 'renamed' WHERE id = 7")
    shop.source.run("UPDATE label SET note = 'noted' WHERE lang = 'de'")
    shop.source.run("UPDATE ticket SET note = NULL WHERE note = 'ticket 5'")
    shop.source.run("DELETE FROM ticket WHERE note = 'ticket 6'")
    shop.source.run(f"INSERT INTO review ({REVIEW}) VALUES ({', '.join('?' * 12)})", a_review(777))
    shop.move.catch_up()
    assert shop.move.verify().equal
    assert shop.target.scalar("SELECT name FROM product WHERE id = 7") == "renamed"
    assert shop.target.scalar("SELECT count(*) FROM ticket") == REVIEWS - 1


@BROUGHT
def test_a_change_of_a_column_that_is_not_replicated_is_not_logged(shop):
    shop.source.run("UPDATE product SET price = price + 1")
    assert shop.source.scalar("SELECT count(*) FROM strangler.changes WHERE name = 'product'") == 0


@BROUGHT
def test_a_changed_key_leaves_no_row_behind(shop):
    shop.source.run("DELETE FROM vote WHERE review_id = 3")
    shop.source.run("UPDATE review SET id = 5000000 WHERE id = 3")
    shop.source.run("UPDATE label SET word = 'new' WHERE word = 'W\u00f6rt 10'")
    shop.source.run("UPDATE ticket SET code = ? WHERE note = 'ticket 9'", (uuid.uuid4(),))
    shop.move.catch_up()
    assert shop.move.verify().equal
    assert shop.target.scalar("SELECT count(*) FROM review WHERE id IN (3, 5000000)") == 1


@BROUGHT
def test_rows_that_are_deleted_with_another_are_deleted_over_there(shop):
    if not shop.source.engine.cascades:
        shop.source.run("DELETE FROM vote WHERE review_id <= 20")  # nothing that the database cascades may be moved
    shop.source.run("DELETE FROM review WHERE id <= 20")
    shop.move.catch_up()
    assert (shop.target.count("review"), shop.target.count("vote")) == (REVIEWS - 20, REVIEWS - 20)
    assert shop.move.verify().equal


@BROUGHT
def test_an_emptied_table_is_empty_over_there(shop):
    shop.source.run("DELETE FROM vote")
    shop.move.catch_up()
    assert shop.target.count("vote") == 0
    assert shop.move.verify().equal


@BROUGHT
def test_a_unique_value_that_wanders_between_rows_is_followed(shop):
    shop.source.run("UPDATE review SET product_id = 1, author = 'tmp' WHERE id = 100")
    shop.source.run("UPDATE review SET product_id = 1, author = 'author 100' WHERE id = 200")
    shop.source.run("UPDATE review SET product_id = 1, author = 'author 200' WHERE id = 100")
    shop.move.catch_up()
    assert shop.move.verify().equal


def test_rows_written_while_the_capture_is_installed_arrive(shop, writers):
    with writers:
        shop.bring()
    shop.move.catch_up()
    assert not writers.failures
    assert len(writers.acknowledged) > 10
    assert set(writers.acknowledged) <= shop.target.references()


@BROUGHT
def test_the_target_refuses_writers_from_the_start(shop):
    insert = "INSERT INTO review (reference, product_id, author) VALUES (?, 1, 'rogue')"
    for statement in (insert, shop.target.engine.unless_there(insert)):
        refusal(shop, Side.TARGET, statement, (uuid.uuid4(),))
    refusal(shop, Side.TARGET, "UPDATE vote SET helpful = NOT helpful")
    refusal(shop, Side.TARGET, "DELETE FROM label")
    with pytest.raises(Exception, match="read-only copy"):
        shop.target.run("UPDATE product SET name = 'x'")


@BROUGHT
def test_switch_reverse_and_switch_lose_nothing_under_load(shop, writers, traffic):
    with OwnerWatch(shop=shop) as watch, writers:
        for to in (Side.TARGET, Side.SOURCE, Side.TARGET):
            assert shop.move.switch(to, traffic).owner is to
            time.sleep(0.1)
    shop.move.catch_up()
    assert not writers.failures
    assert len(writers.acknowledged) > 20
    for side in Side:
        assert set(writers.acknowledged) <= shop.of(side).references()
    assert shop.move.verify().equal
    assert watch.looks > 0
    assert watch.two_owners == 0
    published = [asked[1:3] for asked in traffic.asked if asked[0] == "publish"]
    assert published == [(Side.TARGET, 2), (Side.SOURCE, 3), (Side.TARGET, 4)]
    refusal(shop, Side.SOURCE, "DELETE FROM vote")


@BROUGHT
def test_changes_flow_back_after_the_switch(shop, traffic):
    shop.move.switch(Side.TARGET, traffic)
    shop.target.run(f"INSERT INTO review ({REVIEW}) VALUES ({', '.join('?' * 12)})", a_review(888))
    shop.target.run("UPDATE review SET body = 'there' WHERE id = 5")
    shop.target.run("DELETE FROM ticket WHERE note = 'ticket 7'")
    shop.target.run("UPDATE label SET note = 'back' WHERE word = 'W\u00f6rt 10'")
    shop.move.catch_up()
    assert shop.move.verify().equal
    assert shop.source.scalar("SELECT body FROM review WHERE id = 5") == "there"
    assert shop.source.scalar("SELECT count(*) FROM ticket WHERE note = 'ticket 7'") == 0


@BROUGHT
def test_the_new_owner_gives_out_numbers_behind_the_old_ones(shop, traffic):
    shop.source.add_review("deleted at once")
    shop.source.run("DELETE FROM review WHERE author = 'deleted at once'")
    shop.move.switch(Side.TARGET, traffic)
    shop.target.add_review("first at the target")
    assert shop.target.scalar("SELECT max(id) FROM review") == REVIEWS + 2
    shop.target.run("DELETE FROM review WHERE author = 'first at the target'")
    shop.move.switch(Side.SOURCE, traffic)
    shop.source.add_review("again at the source")
    assert shop.source.scalar("SELECT max(id) FROM review") == REVIEWS + 3


@BROUGHT
def test_a_writer_that_keeps_the_fence_waiting_makes_it_give_up(shop, traffic):
    limits = Limits(lock=0.1, fence_attempts=2, fence_pause=0.05)

    def write(step, facts):
        if step is Step.HOLD and facts["attempt"] == 1:
            shop.source.run("BEGIN")
            shop.source.add_review("open")

    with pytest.raises(SwitchAborted, match=r"kept its tables locked longer than 0\.1 s, 2 times"):
        shop.move.switch(Side.TARGET, traffic, on_step=write, limits=limits)
    assert shop.move.picture().owner is Side.SOURCE
    shop.source.run("COMMIT")
    shop.move.switch(Side.TARGET, traffic)
    assert shop.target.scalar("SELECT count(*) FROM review WHERE author = 'open'") == 1


@BROUGHT
def test_a_transaction_left_open_across_the_fence_is_waited_for(shop, traffic):
    began, ends = threading.Event(), threading.Event()

    def write():
        from tests.integration.split.engines import Application

        other = Application(engine=shop.source.engine, dsn=shop.source.dsn)
        other.run("BEGIN")
        other.add_review("open")
        began.set()
        time.sleep(0.3)
        ends.set()
        other.run("COMMIT")
        other.connection.close()

    writer = threading.Thread(target=write)

    def on_step(step, facts):
        if step is Step.FENCE:
            writer.start()
            began.wait(5)
        if step is Step.CATCH_UP:
            # Said only once the fence has committed.
            assert ends.is_set()

    shop.move.switch(Side.TARGET, traffic, on_step=on_step, limits=Limits(lock=5))
    writer.join()
    assert shop.target.scalar("SELECT count(*) FROM review WHERE author = 'open'") == 1


@BROUGHT
def test_a_transaction_that_is_open_before_the_switch_refuses_it(shop, traffic):
    shop.source.run("BEGIN")
    shop.source.add_review("open")
    # With one writer at a time, not even the note that comes before the gates can be written.
    with pytest.raises(SplitError, match=r"has held tables of the source for more than 0 s|kept writing for too long"):
        shop.move.switch(Side.TARGET, traffic, limits=Limits(transaction_age=0))
    shop.source.run("COMMIT")
    assert not traffic.asked


@BROUGHT
def test_a_switch_that_goes_back_opens_the_old_owner_under_a_new_term(shop, traffic):
    def corrupt(step, facts):
        if step is Step.HOLD:
            shop.source.run("UPDATE vote SET helpful = NOT helpful WHERE review_id = 5")
        if step is Step.VERIFY:
            with shop.target.spoiling() as spoiler:
                spoiler.run("DELETE FROM vote WHERE review_id = 5")

    with pytest.raises(SwitchAborted, match="missing at the target"):
        shop.move.switch(Side.TARGET, traffic, on_step=corrupt)
    picture = shop.move.picture()
    assert (picture.owner, picture.term) == (Side.SOURCE, 2)
    assert traffic.asked[-2:] == [("publish", Side.SOURCE, 2, 0, 0), ("release",)]
    shop.source.add_review("open again")


@pytest.mark.parametrize(
    ("table", "while_at", "given_up"),
    [("review", Step.COMMIT, True), ("product", Step.COMMIT, False), ("review", Step.CATCH_UP, False)],
    ids=["moved", "replicated", "waited for"],
)
@BROUGHT
def test_rows_applied_behind_the_comparison_give_the_switch_up(shop, traffic, table, while_at, given_up):
    at_it = threading.Event()

    def apply():
        with shop.move.target.connect(Role.APPLIER) as receiver, receiver.transaction():
            receiver.query("SELECT owns FROM strangler.ownership WHERE move = %s FOR SHARE", (SPEC.name,))
            receiver.execute("UPDATE strangler.streams SET batch = batch + 1 WHERE move = %s", (SPEC.name,))
            batch = receiver.scalar("SELECT batch FROM strangler.streams WHERE move = %s", (SPEC.name,))
            receiver.note_unverified(SPEC.name, table, ['["1"]'], batch)
            at_it.set()
            time.sleep(0.3)  # the switch goes on while this transaction is open

    applier = threading.Thread(target=apply)

    def apply_behind_the_comparison(step, facts):
        if step is while_at:
            applier.start()
            assert at_it.wait(timeout=10)

    refusal = pytest.raises(SwitchAborted, match="were applied behind batch") if given_up else nullcontext()
    with refusal:
        shop.move.switch(Side.TARGET, traffic, on_step=apply_behind_the_comparison, limits=Limits(lock=5))
    applier.join(timeout=10)
    assert shop.move.picture().owner is (Side.SOURCE if given_up else Side.TARGET)


@BROUGHT
def test_a_sleeper_cannot_commit_after_somebody_recovered(shop, traffic):
    def recover_meanwhile(step, facts):
        if step is Step.COMMIT:
            assert shop.move.recover(traffic).owner is Side.SOURCE

    with pytest.raises(SwitchAborted):
        shop.move.switch(Side.TARGET, traffic, on_step=recover_meanwhile)
    assert shop.move.picture().owner is Side.SOURCE
    shop.source.add_review("still the owner")


@BROUGHT
def test_an_applier_that_dies_between_commit_and_acknowledgement_applies_again(shop):
    shop.source.add_review("twice")
    log = shop.source.run("SELECT name, key FROM strangler.changes")
    shop.move.catch_up()
    shop.source.run("UPDATE strangler.streams SET acknowledged = acknowledged - 1")
    for name, key in log:
        shop.source.run("INSERT INTO strangler.changes (move, name, key) VALUES (?, ?, ?)", (SPEC.name, name, key))
    shop.move.catch_up()
    assert shop.target.scalar("SELECT count(*) FROM review WHERE author = 'twice'") == 1
    assert shop.move.verify().equal


def test_a_log_beyond_its_limit_stops_the_capture_and_not_the_application(shop, traffic):
    shop.move = Move(replace(SPEC, log_limit=256 * 1024), shop.source.dsn, shop.target.dsn)
    shop.bring()
    shop.source.run("DELETE FROM vote")
    shop.source.run(
        "INSERT INTO vote (review_id, voter, helpful) SELECT id, word, public FROM review CROSS JOIN label "
        "WHERE lang = 'de' AND id <= 130"
    )
    assert shop.source.count("vote") == 13_000
    assert shop.source.count("strangler.changes") < 9_000
    with pytest.raises(SplitError, match="was stopped: its log of changes had grown to the limit of 256 kB"):
        shop.move.catch_up()
    with pytest.raises(Refused, match="the capture of the source was stopped"):
        shop.move.switch(Side.TARGET, traffic)
    shop.move.cancel()
    shop.bring()
    assert shop.target.count("vote") == 13_000


@BROUGHT
def test_rows_that_are_missing_or_too_many_are_named(shop):
    code = uuid.uuid4()
    with shop.target.spoiling() as spoiler:
        spoiler.run("DELETE FROM vote WHERE id = 9")
        spoiler.run("INSERT INTO product VALUES (4711, 'made up')")
        spoiler.run("INSERT INTO ticket VALUES (?, 'made up')", (code,))
        spoiler.run("UPDATE label SET note = '' WHERE lang = 'de' AND word = 'W\u00f6rt 12c'")
    found = {(one.key, one.what) for one in shop.move.verify().differences}
    ((ticket, what),) = {one for one in found if len(one[0][0]) >= 32}
    assert (uuid.UUID(ticket[0]), what) == (code, "only at the target")
    assert found - {(ticket, what)} == {
        (("9",), "missing at the target"),
        (("4711",), "only at the target"),
        (("de", "W\u00f6rt 12c"), "differs in note"),
    }


@pytest.mark.parametrize("owner", list(Side))
@BROUGHT
def test_a_repair_brings_the_owners_rows_over_and_touches_none_of_them(shop, traffic, owner):
    if owner is Side.TARGET:
        shop.move.switch(Side.TARGET, traffic)
    other = shop.of(owner.other)
    everything = "SELECT id, author, body, product_id FROM review ORDER BY id"
    before = shop.of(owner).run(everything)
    with other.spoiling() as spoiler:
        spoiler.run("UPDATE review SET author = 'wrong', body = 'wrong' WHERE id = 7")
        spoiler.run("DELETE FROM vote WHERE id = 9")
        spoiler.run("INSERT INTO ticket VALUES (?, 'made up')", (uuid.uuid4(),))
        spoiler.run("UPDATE label SET note = '' WHERE lang = 'de' AND word = 'W\u00f6rt 12c'")
        # A unique value in the wrong row.
        spoiler.run("DELETE FROM vote WHERE review_id = 11")
        spoiler.run("UPDATE review SET id = 900001 WHERE id = 11")
    if owner is Side.SOURCE:
        with shop.target.spoiling() as spoiler:
            spoiler.run("INSERT INTO product VALUES (4711, 'made up')")
    found = shop.move.verify()
    assert len(found.differences) == 7 + (owner is Side.SOURCE)
    shop.move.repair(found.differences)
    assert shop.move.verify().equal
    assert shop.of(owner).run(everything) == before
    assert other.run(everything) == before


@BROUGHT
def test_verification_under_writes_finds_no_false_difference(shop, writers):
    with writers:
        for _ in range(3):
            assert shop.move.verify().equal
    assert not writers.failures


@BROUGHT
def test_a_rogue_write_at_the_target_is_noticed(shop):
    key = '["00000000000000000000000000000001"]'
    shop.target.run("INSERT INTO strangler.changes (move, name, key) VALUES (?, 'ticket', ?)", (SPEC.name, key))
    with pytest.raises(SplitError, match="past the fence of the target"):
        shop.move.catch_up()


@BROUGHT
def test_a_receiver_that_was_set_back_in_time_is_a_gap(shop):
    shop.source.add_review("one")
    shop.move.catch_up()
    shop.target.run("UPDATE strangler.streams SET batch = batch - 1")
    shop.source.add_review("behind the gap")
    with pytest.raises(SplitError, match="the target knows 0 only: it was set back in time"):
        shop.move.catch_up()


@BROUGHT
def test_cancel_leaves_nothing_but_the_ownership_rows_and_can_be_created_again(shop, traffic):
    shop.move.switch(Side.TARGET, traffic)
    with pytest.raises(Refused, match="reverse it first"):
        shop.move.cancel()
    shop.move.switch(Side.SOURCE, traffic)
    term = shop.move.picture().term
    shop.move.cancel()
    shop.move.cancel()
    assert shop.target.count("review") == 0
    for side in Side:
        shop.of(side).add_review("nobody refuses")
    shop.target.run("DELETE FROM review")
    shop.bring()
    assert shop.move.picture().term == term
    assert shop.move.switch(Side.TARGET, traffic).term == term + 1


@BROUGHT
def test_complete_closes_the_way_back_and_leaves_tombstones(shop, traffic):
    with pytest.raises(Refused, match="switch it to the target first"):
        shop.move.complete(traffic)
    shop.move.switch(Side.TARGET, traffic)
    shop.move.complete(traffic)
    shop.move.complete(traffic)
    with pytest.raises(Refused, match="complete"):
        shop.move.switch(Side.SOURCE, traffic)
    refusal(shop, Side.SOURCE, "DELETE FROM vote")
    shop.source.run("UPDATE product SET name = 'still followed' WHERE id = 1")
    shop.move.catch_up()
    assert shop.target.scalar("SELECT name FROM product WHERE id = 1") == "still followed"


def test_status_tells_who_owns_and_why_not_to_switch(shop, traffic):
    assert shop.move.status().picture is None
    shop.bring()
    assert shop.move.status().can_switch
    shop.move.switch(Side.TARGET, traffic)
    status = shop.move.status()
    assert status.picture.owner is Side.TARGET
    assert status.can_switch, status.refusals


def test_a_dry_run_tells_what_would_be_done_and_does_nothing(shop):
    effects = list(shop.move.effects())
    assert any("CREATE TRIGGER" in effect for effect in effects)
    assert shop.move.status().picture is None
