"""A move between two real MariaDB databases, from its creation to its end."""

import uuid
from dataclasses import replace

import pytest

from strangler.split import Move, Refused, Side, SplitError, SwitchAborted
from strangler.split.cutover import Step
from tests.integration.split.conftest import SPEC
from tests.integration.split.mariadb.conftest import REVIEW, Client


def references(client):
    return {str(row[0]) for row in client.query("SELECT reference FROM review")}


def test_copy_and_catch_up_make_both_sides_equal(shop):
    shop.bring()
    assert shop.count(Side.TARGET, "review") == 1_000
    assert shop.count(Side.TARGET, "product") == 100


def test_changes_of_every_kind_follow(shop):
    shop.bring()
    shop.source.query("UPDATE review SET body = 'it''s changed \\\\ \0 %s', `raw` = x'00275c1aff' WHERE id = 1")
    shop.source.query("DELETE FROM vote WHERE review_id = 2")
    shop.source.query("DELETE FROM review WHERE id = 2")
    shop.source.query("UPDATE product SET name = 'renamed' WHERE id = 7")
    shop.source.query("UPDATE product SET name = upper(name) WHERE id = 9")
    shop.source.query("DELETE FROM vote WHERE review_id = 5")
    shop.source.query("REPLACE INTO review (reference, product_id, author) VALUES (uuid(), 6, 'author 5')")
    shop.source.query(
        "INSERT INTO review (reference, product_id, author) VALUES (uuid(), 11, 'author 10') "
        "ON DUPLICATE KEY UPDATE body = 'again'"
    )
    shop.source.query(
        "UPDATE review r JOIN vote v ON v.review_id = r.id SET r.score = 4, v.helpful = NOT v.helpful "
        "WHERE r.id BETWEEN 20 AND 30"
    )
    shop.source.query("DELETE v FROM vote v JOIN review r ON v.review_id = r.id WHERE r.id BETWEEN 40 AND 50")
    shop.source.query("INSERT IGNORE INTO vote (review_id, voter, helpful) VALUES (60, 'voter', true), (60, 'x', true)")
    shop.add_review(Side.SOURCE, "late")
    shop.move.catch_up()
    assert shop.move.verify().equal
    assert shop.target.one("SELECT name FROM product WHERE id = 7") == "renamed"
    assert shop.target.one("SELECT name FROM product WHERE id = 9") == "PRODUCT 9"
    assert shop.target.one("SELECT body FROM review WHERE id = 10") == "again"
    assert shop.target.one("SELECT score FROM review WHERE id = 30") == 4


def test_loaded_data_follows(shop, tmp_path):
    shop.bring()
    file = tmp_path / "votes.tsv"
    file.write_text("".join(f"{number}\tloaded\t1\n" for number in range(1, 501)))
    with Client(shop.source.dsn, local_infile=True) as client:
        client.query(f"LOAD DATA LOCAL INFILE '{file}' INTO TABLE vote (review_id, voter, helpful)")
    shop.move.catch_up()
    assert shop.target.one("SELECT count(*) FROM vote WHERE voter = 'loaded'") == 500
    assert shop.move.verify().equal


def test_a_change_of_a_column_that_is_not_replicated_is_not_logged(shop):
    shop.bring()
    shop.source.query("UPDATE product SET price = price + 1")
    assert shop.source.one("SELECT count(*) FROM strangler_changes WHERE name = 'product'") == 0


def test_a_changed_key_leaves_no_row_behind(shop):
    shop.bring()
    shop.source.query("DELETE FROM vote WHERE review_id = 3")
    shop.source.query("UPDATE review SET id = 5000000 WHERE id = 3")
    shop.move.catch_up()
    assert shop.move.verify().equal
    assert shop.target.query("SELECT id FROM review WHERE id IN (3, 5000000)") == [(5000000,)]


def test_a_unique_value_that_wanders_between_rows_is_followed(shop):
    shop.bring()
    shop.source.begin()
    shop.source.query("UPDATE review SET author = 'tmp' WHERE id = 100")
    shop.source.query("UPDATE review SET author = 'author 100' WHERE id = 200")
    shop.source.query("UPDATE review SET author = 'author 200' WHERE id = 100")
    shop.source.commit()
    shop.move.catch_up()
    assert shop.move.verify().equal


def test_a_row_of_an_open_transaction_is_not_skipped(shop, source_dsn):
    """The change with the lower number commits after the higher one was applied."""
    shop.bring()
    with Client(source_dsn) as slow:
        slow.begin()
        slow.query("UPDATE review SET body = 'slow' WHERE id = 10")
        shop.source.query("UPDATE review SET body = 'fast' WHERE id = 11")
        shop.move.apply_once()
        slow.commit()
    shop.move.catch_up()
    assert shop.target.one("SELECT body FROM review WHERE id = 10") == "slow"
    assert shop.move.verify().equal


def test_rows_written_while_the_capture_is_installed_arrive(shop, writers):
    with writers:
        shop.bring()
    shop.move.catch_up()
    assert not writers.failures
    assert set(map(str, writers.acknowledged)) <= references(shop.target)


def test_the_application_reads_its_own_new_numbers(shop):
    """The log has counters of its own; they must not be taken for the row's."""
    before = shop.source.insert(REVIEW, (str(uuid.uuid4()), 1, "before"))
    shop.bring()
    shop.source.query("ALTER TABLE strangler_changes AUTO_INCREMENT = 900000")
    assert shop.source.insert(REVIEW, (str(uuid.uuid4()), 1, "after")) == before + 1
    assert shop.source.one("SELECT last_insert_id()") == before + 1


def test_switch_reverse_and_switch_lose_nothing_under_load(shop, writers, traffic):
    shop.bring()
    with writers:
        for to in (Side.TARGET, Side.SOURCE, Side.TARGET):
            assert shop.move.switch(to, traffic).owner is to
    shop.move.catch_up()
    assert not writers.failures
    assert len(writers.acknowledged) > 20
    assert set(map(str, writers.acknowledged)) <= references(shop.target)
    assert shop.move.verify().equal
    published = [asked for asked in traffic.asked if asked[0] == "publish"]
    assert [asked[1:3] for asked in published] == [(Side.TARGET, 2), (Side.SOURCE, 3), (Side.TARGET, 4)]


@pytest.mark.parametrize("rows_left", [True, False])
def test_the_new_owner_gives_out_numbers_behind_the_old_ones(shop, traffic, mariadb_servers, rows_left):
    """Also behind those that were given out and are gone, and after a power cut."""
    shop.bring()
    last = shop.source.insert(REVIEW, (str(uuid.uuid4()), 1, "gone at once"))
    shop.source.query("DELETE FROM review WHERE id = %s", (last,))
    if not rows_left:
        shop.source.query("DELETE FROM vote")
        shop.source.query("DELETE FROM review")
    # What no row has brought over the target learns at the switch.
    shop.target.query("ALTER TABLE review AUTO_INCREMENT = 1")
    shop.move.switch(Side.TARGET, traffic)
    mariadb_servers[Side.TARGET].kill()
    mariadb_servers[Side.TARGET].start()
    with Client(shop.target.dsn) as target:
        assert target.insert(REVIEW, (str(uuid.uuid4()), 1, "first at the target")) > last
    shop.target.connection.ping(reconnect=True)


def test_a_reader_of_the_new_owner_does_not_hold_the_counters_up(shop, traffic, target_dsn):
    shop.bring()
    last = shop.source.insert(REVIEW, (str(uuid.uuid4()), 1, "gone at once"))
    shop.source.query("DELETE FROM review WHERE id = %s", (last,))
    with Client(target_dsn, "REPEATABLE READ") as reader:
        reader.begin()
        reader.query("SELECT count(*) FROM review")
        shop.move.switch(Side.TARGET, traffic)
        assert shop.target.insert(REVIEW, (str(uuid.uuid4()), 1, "first at the target")) == last + 1


def test_a_switch_refuses_with_every_reason_at_once(shop, traffic):
    shop.move.create()
    with pytest.raises(Refused, match="copy is not complete") as refused:
        shop.move.switch(Side.TARGET, traffic)
    assert "never compared" in str(refused.value)
    assert not traffic.asked


def test_a_switch_that_goes_back_opens_the_old_owner_under_a_new_term(shop, traffic):
    shop.bring()

    def corrupt(step, facts):
        if step is Step.HOLD:
            shop.source.query("UPDATE vote SET helpful = NOT helpful WHERE review_id = 5")
        if step is Step.VERIFY:
            shop.as_applier(Side.TARGET, "DELETE FROM vote WHERE review_id = 5")

    with pytest.raises(SwitchAborted, match="missing at the target"):
        shop.move.switch(Side.TARGET, traffic, on_step=corrupt)
    picture = shop.move.picture()
    assert (picture.owner, picture.term) == (Side.SOURCE, 2)
    assert traffic.asked[-2:] == [("publish", Side.SOURCE, 2, 0, 0), ("release",)]
    shop.add_review(Side.SOURCE, "open again")


def test_a_sleeper_cannot_commit_after_somebody_recovered(shop, traffic):
    shop.bring()

    def recover_meanwhile(step, facts):
        if step is Step.COMMIT:
            assert shop.move.recover(traffic).owner is Side.SOURCE

    with pytest.raises(SwitchAborted):
        shop.move.switch(Side.TARGET, traffic, on_step=recover_meanwhile)
    assert shop.move.picture().owner is Side.SOURCE
    shop.add_review(Side.SOURCE, "still the owner")


def test_a_rogue_write_at_the_target_is_noticed(shop):
    shop.bring()
    for (name,) in shop.target.query(
        "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE() "
        "AND trigger_name LIKE 'strangler_fence%'"
    ):
        shop.target.query(f"DROP TRIGGER {name}")
    shop.target.query("UPDATE review SET body = 'rogue' WHERE id = 1")
    with pytest.raises(SplitError, match="past the fence of the target"):
        shop.move.catch_up()
    assert any('the fence on "review" is not as it was made' in why for why in shop.move.status().refusals)


def test_a_log_beyond_its_limit_stops_the_capture_and_not_the_application(shop, source_dsn, target_dsn, traffic):
    """The disk of the source never fills; the move says that it is lost."""
    shop.move = Move(replace(SPEC, log_limit=256 * 1024), source_dsn, target_dsn)
    shop.bring()
    for batch in range(4):
        shop.source.query(
            "INSERT INTO vote (review_id, voter, helpful) SELECT id, concat('many ', seq), true "
            f"FROM review CROSS JOIN seq_{batch * 3 + 1}_to_{batch * 3 + 3}"
        )
    assert shop.count(Side.SOURCE, "vote") == 13_000
    assert shop.source.one("SELECT count(*) FROM strangler_changes") < 9_000
    with pytest.raises(SplitError, match="was stopped: its log of changes had grown to the limit of 256 kB"):
        shop.move.catch_up()
    with pytest.raises(Refused, match="the capture of the source was stopped"):
        shop.move.switch(Side.TARGET, traffic)
    shop.move.cancel()
    shop.bring()
    assert shop.count(Side.TARGET, "vote") == 13_000


def test_a_column_added_to_both_sides_is_followed_and_asks_for_a_verification(shop, traffic):
    shop.bring()
    with shop.move.session() as session:
        shop.source.query("ALTER TABLE review ADD COLUMN mood varchar(20)")
        shop.source.query("UPDATE review SET mood = 'glad' WHERE id = 1")
        with pytest.raises(SplitError, match="were altered"):
            session.apply_once()
    with pytest.raises(Refused, match='only the source has "mood varchar'):
        shop.move.catch_up()
    shop.target.query("ALTER TABLE review ADD COLUMN mood varchar(20)")
    shop.move.catch_up()
    assert shop.target.one("SELECT mood FROM review WHERE id = 1") == "glad"
    with pytest.raises(Refused, match="were altered since the last verification"):
        shop.move.switch(Side.TARGET, traffic)
    assert shop.move.verify().equal
    shop.move.switch(Side.TARGET, traffic)


def test_verification_under_writes_finds_no_false_difference(shop, writers):
    shop.bring()
    with writers:
        for _ in range(3):
            assert shop.move.verify().equal
    assert not writers.failures


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
    triggers = "SELECT count(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
    guards = "SELECT count(*) FROM information_schema.tables WHERE table_name LIKE 'strangler\\_guard%'"
    for client in (shop.source, shop.target):
        assert (client.one(triggers), client.one(guards)) == (0, 0)
    shop.source.query("TRUNCATE vote")
    shop.bring()
    assert shop.move.picture().term == term
    assert shop.move.switch(Side.TARGET, traffic).term == term + 1


def test_complete_closes_the_way_back_and_leaves_tombstones(shop, traffic):
    shop.bring()
    with pytest.raises(Refused, match="switch it to the target first"):
        shop.move.complete(traffic)
    shop.move.switch(Side.TARGET, traffic)
    shop.move.complete(traffic)
    shop.move.complete(traffic)
    with pytest.raises(Refused, match="complete"):
        shop.move.switch(Side.SOURCE, traffic)
    with pytest.raises(Exception, match="owned elsewhere"):
        shop.add_review(Side.SOURCE)
    shop.source.query("UPDATE product SET name = 'still followed' WHERE id = 1")
    shop.move.catch_up()
    assert shop.target.one("SELECT name FROM product WHERE id = 1") == "still followed"


def test_status_tells_who_owns_and_what_create_would_do_is_shown(shop, traffic):
    assert shop.move.status().picture is None
    shown = "\n".join(shop.move.effects())
    assert "CREATE TRIGGER `strangler_fence_" in shown
    assert not shop.source.query("SHOW TABLES LIKE 'strangler%'")
    shop.bring()
    assert shop.move.status().can_switch, shop.move.status().refusals
    shop.move.switch(Side.TARGET, traffic)
    status = shop.move.status()
    assert status.picture.owner is Side.TARGET
    assert status.can_switch, status.refusals


def test_create_goes_on_where_it_was_cut_off(shop, source_dsn):
    """Changes of the schema are not taken back with a transaction: they are made again, and the claims come last."""
    statements = [line for line in shop.move.effects() if line.startswith("CREATE TRIGGER `strangler_fence")]
    with Client(source_dsn) as reader:
        reader.begin()
        reader.query("SELECT count(*) FROM vote")
        with pytest.raises(SplitError, match=r"(?i)lock wait timeout"):
            shop.move.create()
    assert len(statements) > 6
    assert shop.source.one("SELECT count(*) FROM strangler_claims") == 0
    shop.add_review(Side.SOURCE, "the source owns meanwhile")
    shop.bring()
    assert shop.source.one("SELECT count(*) FROM strangler_claims") == 2


def test_workers_share_the_ranges_of_a_copy(shop):
    import threading

    shop.move.create()
    workers = [threading.Thread(target=shop.move.copy, args=(lambda progress: None,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    shop.move.catch_up()
    assert shop.move.verify().equal
