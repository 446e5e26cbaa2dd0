"""Writes that are rehearsed where another database owns: they run, are told row by row, and cannot be committed."""

import threading
import uuid

import psycopg
import pytest

from strangler.split import Side
from tests.integration.split.conftest import BROUGHT

MOVE = "0001_reviews"
INSERT = "INSERT INTO review (reference, product_id, author) VALUES (%s, 1, 'rehearsed') RETURNING id"


def begin(connection):
    return connection.execute("SELECT strangler.begin_rehearsal(%s)", (MOVE,)).fetchone()[0]


def effects(connection, after=0):
    return connection.execute("SELECT strangler.effects(%s, %s, 50)", (MOVE, after)).fetchone()[0]


@BROUGHT
def test_a_rehearsal_writes_and_leaves_nothing_behind(shop):
    before = shop.count(Side.TARGET, "review")
    sequence = shop.target.execute("SELECT last_value FROM review_id_seq").fetchone()
    with shop.target.transaction(force_rollback=True):
        began = begin(shop.target)
        (key,) = shop.target.execute(INSERT, (uuid.uuid4(),)).fetchone()
        assert key > 1_000_000
        shop.target.execute("UPDATE review SET body = 'changed' WHERE id = 1")
        shop.target.execute("DELETE FROM vote WHERE review_id = 2")
        found = effects(shop.target, began["seq"])
    assert {(row["table"], row["row"] is None) for row in found} == {("review", False), ("vote", True)}
    inserted = next(row for row in found if row["key"] == [key])
    assert (inserted["row"]["author"], inserted["generated"]) == ("rehearsed", ["id"])
    assert next(row for row in found if row["key"] == [1] and row["table"] == "review")["row"]["body"] == "changed"
    assert shop.count(Side.TARGET, "review") == before
    assert shop.target.execute("SELECT last_value FROM review_id_seq").fetchone() == sequence
    shop.move.catch_up()
    assert shop.move.verify().equal


WAYS_TO_COMMIT = [
    "COMMIT",
    "SET CONSTRAINTS ALL IMMEDIATE",
    "PREPARE TRANSACTION 'rehearsal'",
    "SET LOCAL strangler.rehearsal = 'off'; COMMIT",
    "SAVEPOINT one; UPDATE review SET body = 'y' WHERE id = 1; RELEASE one; COMMIT",
    "SAVEPOINT one; UPDATE review SET body = 'y' WHERE id = 1; ROLLBACK TO one; COMMIT",
    "DELETE FROM strangler.doomed; COMMIT",
    "SET LOCAL session_replication_role = replica; UPDATE review SET body = 'y' WHERE id = 1; COMMIT",
]


@BROUGHT
def test_what_has_passed_the_fence_cannot_be_committed_in_any_way(shop):
    before = shop.target.execute("SELECT body FROM review WHERE id = 1").fetchone()
    replica = "SET LOCAL session_replication_role = replica"
    for begins in (
        "SELECT strangler.begin_rehearsal('0001_reviews')",
        "SET LOCAL strangler.rehearsal = 'on'",
        f"{replica}; SET LOCAL strangler.rehearsal = 'on'",
    ):
        for way in WAYS_TO_COMMIT:
            shop.target.execute("BEGIN")
            shop.target.execute(begins)
            shop.target.execute("UPDATE review SET body = 'x' WHERE id = 1")
            with pytest.raises(psycopg.errors.DatabaseError, match=r"is a rehearsal and cannot be committed|prepared"):
                shop.target.execute(way)
            shop.target.execute("ROLLBACK")
            assert shop.target.execute("SELECT body FROM review WHERE id = 1").fetchone() == before, way


@BROUGHT
def test_a_rehearsal_that_a_switch_overtakes_cannot_commit(shop):
    """It has written nothing yet, so nobody waits for it, and afterwards no fence is in its way."""
    with psycopg.connect(shop.move.target.dsn, autocommit=True) as overtaken:
        overtaken.execute("BEGIN")
        begin(overtaken)
        shop.target.execute("ALTER TABLE review DISABLE TRIGGER strangler_fence")
        overtaken.execute("UPDATE review SET body = 'x' WHERE id = 1")
        with pytest.raises(psycopg.errors.DatabaseError, match="is a rehearsal and cannot be committed"):
            overtaken.execute("COMMIT")
    assert shop.target.execute("SELECT count(*) FROM review WHERE body = 'x'").fetchone() == (0,)


@BROUGHT
def test_a_savepoint_that_takes_the_write_back_takes_the_doom_back_with_it(shop):
    shop.target.execute("BEGIN; SET LOCAL strangler.rehearsal = 'on'; SAVEPOINT one")
    shop.target.execute("UPDATE review SET body = 'x' WHERE id = 1; ROLLBACK TO one; COMMIT")
    assert shop.move.verify().equal


@BROUGHT
def test_the_owner_copies_and_whole_tables_are_not_rehearsed(shop, traffic):
    def refused(connection, statement):
        with pytest.raises(psycopg.errors.DatabaseError) as refusal, connection.transaction(force_rollback=True):
            connection.execute("SET LOCAL strangler.rehearsal = 'on'")
            connection.execute(statement)
        return refusal.value.sqlstate

    assert refused(shop.target, "UPDATE product SET name = 'x'") == "SF002"
    assert refused(shop.target, "TRUNCATE vote") == "SF001"
    assert refused(shop.source, "SELECT strangler.begin_rehearsal('0001_reviews')") == "SF007"
    assert refused(shop.target, "SELECT strangler.begin_rehearsal('0002_other')") == "SF007"
    shop.move.switch(Side.TARGET, traffic)
    assert refused(shop.target, "SELECT strangler.begin_rehearsal('0001_reviews')") == "SF007"


@BROUGHT
def test_only_the_transactions_own_rows_are_told_those_of_its_savepoints_too(shop):
    with shop.source.transaction(force_rollback=True):
        after = shop.source.execute("SELECT strangler.stands(%s)", (MOVE,)).fetchone()[0]["seq"]
        shop.source.execute("UPDATE review SET body = 'outside' WHERE id = 1")
        with psycopg.connect(shop.move.source.dsn, autocommit=True) as other:
            other.execute("UPDATE review SET body = 'of somebody else' WHERE id = 3")
        with shop.source.transaction():
            shop.source.execute("UPDATE review SET body = %s WHERE id = 2", ("long " * 100,))
        with shop.source.transaction(force_rollback=True):
            shop.source.execute("UPDATE review SET body = 'taken back' WHERE id = 4")
        found = effects(shop.source, after)
    assert [(row["key"], row["row"]["body"][:4]) for row in found] == [([1], "outs"), ([2], "md5:")]


@BROUGHT
def test_the_application_needs_no_right_but_those_on_its_tables(shop):
    shop.target.execute(
        "CREATE ROLE plain_service; GRANT SELECT, INSERT, UPDATE, DELETE ON review, vote TO plain_service"
    )
    try:
        with shop.target.transaction(force_rollback=True):
            shop.target.execute("SET LOCAL ROLE plain_service")
            began = begin(shop.target)
            shop.target.execute(INSERT, (uuid.uuid4(),))
            assert len(effects(shop.target, began["seq"])) == 1
    finally:
        shop.target.execute("DROP OWNED BY plain_service; DROP ROLE plain_service")


@BROUGHT
def test_what_stands_where_says_whether_both_sides_have_the_same(shop):
    def stand(connection):
        return connection.execute("SELECT strangler.stands(%s)", (MOVE,)).fetchone()[0]

    shop.move.catch_up()
    assert stand(shop.source)["waits"] is False
    assert stand(shop.source)["arrived"] == stand(shop.target)["received"]
    shop.add_review(Side.SOURCE)
    assert stand(shop.source)["waits"] is True
    shop.move.catch_up()
    assert stand(shop.source)["arrived"] == stand(shop.target)["received"]
    assert stand(shop.source)["waits"] is False


@BROUGHT
def test_a_rehearsal_under_way_holds_no_switch_up_longer_than_it_lasts(shop, traffic):
    done = threading.Event()
    with psycopg.connect(shop.move.target.dsn) as rehearsing:
        begin(rehearsing)
        rehearsing.execute("UPDATE review SET body = 'x' WHERE id = 1")
        ended = threading.Timer(0.2, lambda: (rehearsing.rollback(), done.set()))
        ended.start()
        shop.move.switch(Side.TARGET, traffic)
        assert done.is_set()
        ended.join()
    assert shop.move.routing().owner is Side.TARGET
