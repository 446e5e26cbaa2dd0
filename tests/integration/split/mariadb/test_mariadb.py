"""What only MariaDB and MySQL do in the life of a move: its statements, its counters, its changes of the schema."""

import threading
import uuid

import pytest

from strangler.split import Refused, Side, SplitError
from tests.integration.split.mariadb.conftest import REVIEW
from tests.integration.split.mysql_client import Client


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


def test_the_application_reads_its_own_new_numbers(shop):
    """The log has counters of its own; they must not be taken for the row's."""
    before = shop.source.insert(REVIEW, (str(uuid.uuid4()), 1, "before"))
    shop.bring()
    shop.source.query("ALTER TABLE strangler_changes AUTO_INCREMENT = 900000")
    assert shop.source.insert(REVIEW, (str(uuid.uuid4()), 1, "after")) == before + 1
    assert shop.source.one("SELECT last_insert_id()") == before + 1


@pytest.mark.parametrize("rows_left", [True, False])
def test_the_new_owner_gives_out_numbers_behind_the_old_ones(shop, traffic, servers, rows_left):
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
    servers[Side.TARGET].kill()
    servers[Side.TARGET].start()
    with Client(shop.target.dsn) as target:
        assert target.insert(REVIEW, (str(uuid.uuid4()), 1, "first at the target")) > last


def test_a_reader_of_the_new_owner_does_not_hold_the_counters_up(shop, traffic, target_dsn):
    shop.bring()
    last = shop.source.insert(REVIEW, (str(uuid.uuid4()), 1, "gone at once"))
    shop.source.query("DELETE FROM review WHERE id = %s", (last,))
    with Client(target_dsn, isolation="REPEATABLE READ") as reader:
        reader.begin()
        reader.query("SELECT count(*) FROM review")
        shop.move.switch(Side.TARGET, traffic)
        assert shop.target.insert(REVIEW, (str(uuid.uuid4()), 1, "first at the target")) == last + 1


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


def test_cancel_leaves_neither_triggers_nor_guards(shop):
    shop.bring()
    shop.move.cancel()
    triggers = "SELECT count(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
    guards = "SELECT count(*) FROM information_schema.tables WHERE table_name LIKE 'strangler\\_guard%'"
    for client in (shop.source, shop.target):
        assert (client.one(triggers), client.one(guards)) == (0, 0)
    shop.source.query("TRUNCATE vote")
    shop.bring()


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


def test_cancel_goes_on_where_it_was_cut_off(shop, traffic, target_dsn):
    """Triggers go one by one. Until all is gone the move is there, and what is missing refuses a switch."""
    shop.bring()
    with Client(target_dsn) as reader:
        reader.begin()
        reader.query("SELECT count(*) FROM vote")
        with pytest.raises(SplitError, match=r"(?i)lock wait timeout"):
            shop.move.cancel()
        with pytest.raises(Refused, match='the fence on "review" is not as it was made'):
            shop.move.switch(Side.TARGET, traffic)
    shop.move.cancel()
    assert shop.target.query("SELECT * FROM strangler_claims") == []
    shop.bring()


def test_workers_share_the_ranges_of_a_copy(shop):
    shop.move.create()
    workers = [threading.Thread(target=shop.move.copy, args=(lambda progress: None,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    shop.move.catch_up()
    assert shop.move.verify().equal
