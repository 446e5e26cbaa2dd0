"""Changes read from PostgreSQL's own log, where that differs from triggers. test_move.py has what both must do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from strangler.deploy.postgres import PostgresServer
from strangler.split import Capture, Move, MoveSpec, Refused, Side, SplitError
from strangler.split.applier import BATCH, apply_once
from strangler.split.log import TableLog
from strangler.split.postgres import PostgresStore
from strangler.split.postgres.log import WalLog
from strangler.split.store import Role
from tests.integration.split.conftest import BOTH, SPEC, Meanwhile, Shop, fill, own_server

LOG = pytest.mark.parametrize("shop", [Capture.LOG], indirect=True)
KEEP_LITTLE = "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'"
SLOT = "SELECT slot FROM strangler.slots"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """One of our own, whose settings a test may change."""
    for server in own_server({}):
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute(KEEP_LITTLE)
            admin.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture
def own(server: PostgresServer, target_dsn: str) -> Iterator[Shop]:
    """The shop with its source on that server."""
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("DROP DATABASE IF EXISTS shop WITH (FORCE)")
        admin.execute("CREATE DATABASE shop")
    move = Move(replace(SPEC, capture=Capture.LOG), server.dsn("shop"), target_dsn)
    with (
        psycopg.connect(server.dsn("shop"), autocommit=True) as source,
        psycopg.connect(target_dsn, autocommit=True) as target,
    ):
        fill(source, target)
        yield Shop(source=source, target=target, move=move)


def references(connection):
    return {row[0] for row in connection.execute("SELECT reference FROM review")}


def wait_for(connection, query):
    deadline = time.monotonic() + 20
    while not connection.execute(query).fetchone()[0]:
        assert time.monotonic() < deadline, query
        time.sleep(0.01)


@BOTH
def test_the_log_is_that_of_the_capture_the_move_was_created_with(shop, source_dsn, target_dsn):
    capture = shop.move.spec.capture
    shop.bring()
    # Whatever whoever goes on with it says.
    shop.move = Move(SPEC, source_dsn, target_dsn)
    shop.add_review(Side.SOURCE, "followed")
    shop.move.catch_up()
    with shop.move.session() as session:
        wanted = WalLog if capture is Capture.LOG else TableLog
        assert {type(stream.log) for stream in session.streams.values()} == {wanted}
    assert shop.target.execute("SELECT count(*) FROM review WHERE author = 'followed'").fetchone() == (1,)


def test_a_commit_that_no_snapshot_sees_yet_is_left_for_the_next_time(own):
    """It waits for a replica: it is in the log, and its row is still read as it was."""
    own.bring()
    other = psycopg.connect(own.move.source.dsn, autocommit=True, options="-c synchronous_commit=on")
    waits = threading.Event()

    def probe():
        while not waits.is_set():
            other.execute("SELECT pg_logical_emit_message(true, 'probe', '')")

    def write():
        other.execute("UPDATE review SET body = 'seen late' WHERE id = 5")

    probing, writing = threading.Thread(target=probe), threading.Thread(target=write)
    with own.move.session() as session:
        stream = session.streams[Side.SOURCE]
        one_waits = "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        own.source.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        try:
            own.source.execute("SELECT pg_reload_conf()")
            wait_for(own.source, "SELECT current_setting('synchronous_standby_names') = 'nobody'")
            # Commits begin to wait some time after the setting is seen.
            probing.start()
            wait_for(own.source, one_waits)
            waits.set()
            own.source.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
            probing.join(timeout=20)
            writing.start()
            wait_for(own.source, one_waits)
            # Everybody sees the one behind it.
            own.source.execute("SET synchronous_commit = local")
            own.source.execute("UPDATE review SET body = 'seen early' WHERE id = 6")
            waiting = stream.log.pending()
            with stream.sender.snapshot():
                found = stream.log.read(BATCH, stream.layout.captured(Side.SOURCE))
        finally:
            own.source.execute("ALTER SYSTEM RESET synchronous_standby_names")
            own.source.execute("SELECT pg_reload_conf()")
        writing.join(timeout=20)
        other.close()
        assert (waiting, found.changes) == (2, [])
        assert apply_once(stream) == 2
    bodies = own.target.execute("SELECT body FROM review WHERE id IN (5, 6) ORDER BY id").fetchall()
    assert bodies == [("seen late",), ("seen early",)]


def test_a_commit_that_is_not_on_the_disk_yet_lies_before_the_end(own):
    """Snapshots see it, but only what is on the disk can be read."""
    own.source.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
    try:
        own.source.execute("SELECT pg_reload_conf()")
        wait_for(own.source, "SELECT current_setting('wal_writer_delay') = '10s'")
        own.bring()
        own.source.execute("SET synchronous_commit = off")
        with own.move.session() as session:
            stream = session.streams[Side.SOURCE]
            own.source.execute("UPDATE review SET body = 'not on the disk' WHERE id = 5")
            end = stream.log.end()
            assert stream.log.waits(end)
            assert apply_once(stream) == 1
            assert not stream.log.waits(end)
    finally:
        own.source.execute("ALTER SYSTEM RESET wal_writer_delay")
        own.source.execute("SELECT pg_reload_conf()")
    assert own.target.execute("SELECT body FROM review WHERE id = 5").fetchone() == ("not on the disk",)


def test_a_slot_that_held_back_too_much_is_given_up_and_the_move_says_so(own, traffic):
    own.bring()
    for _ in range(4):
        own.source.execute("SELECT pg_logical_emit_message(false, 'other', repeat('x', 100000)), pg_switch_wal()")
    own.source.execute("CHECKPOINT")
    wait_for(own.source, "SELECT wal_status = 'lost' FROM pg_replication_slots WHERE database = current_database()")
    with pytest.raises(SplitError, match=r"was stopped: its replication slot .* was given up by the server"):
        own.move.catch_up()
    with pytest.raises(Refused, match="the capture of the source was stopped: its replication slot"):
        own.move.switch(Side.TARGET, traffic)
    own.source.execute("UPDATE review SET body = 'the application goes on' WHERE id = 1")
    own.move.cancel()
    own.bring()


@LOG
def test_a_slot_that_is_gone_is_a_gap(shop, traffic):
    """As after a failover to a replica that knows nothing of slots."""
    shop.bring()
    shop.source.execute(f"SELECT pg_drop_replication_slot(slot) FROM ({SLOT}) s")
    with pytest.raises(SplitError, match=r"its replication slot .* is gone, by hand or in a failover"):
        shop.move.catch_up()
    assert not shop.move.status().can_switch
    with pytest.raises(Refused, match="is gone"):
        shop.move.switch(Side.TARGET, traffic)


@LOG
def test_a_slot_that_was_made_anew_is_a_gap(shop):
    shop.bring()
    shop.source.execute(f"SELECT pg_drop_replication_slot(slot) FROM ({SLOT}) s")
    shop.add_review(Side.SOURCE, "in neither slot")
    shop.source.execute(f"SELECT pg_create_logical_replication_slot(slot, 'pgoutput') FROM ({SLOT}) s")
    with pytest.raises(SplitError, match="was made anew, or moved on by somebody else"):
        shop.move.catch_up()


def die():
    raise ConnectionError


@BOTH
def test_a_reader_that_dies_before_it_forgets_applies_the_same_again(shop):
    shop.bring()
    shop.add_review(Side.SOURCE, "twice")
    with shop.move.session() as session:
        stream = session.streams[Side.SOURCE]
        stream.log.end()
        with pytest.raises(ConnectionError):
            apply_once(replace(stream, log=Meanwhile(stream.log, before_it_forgets=die)))
        assert shop.target.execute("SELECT count(*) FROM review WHERE author = 'twice'").fetchone() == (1,)
        shop.target.execute("DELETE FROM strangler.unverified")
        assert apply_once(stream) == 1
        assert apply_once(stream) == 0
    assert shop.target.execute("SELECT count(*) FROM strangler.unverified").fetchone() == (1,)
    assert shop.move.verify().equal


class DiesAtThePlace(PostgresStore):
    """Before it notes how far the log was read."""

    def execute(self, statement, params=()):
        if "UPDATE strangler.slots" in statement:
            raise ConnectionError
        return super().execute(statement, params)


@LOG
def test_the_slot_never_stands_before_the_noted_place(shop, source_dsn):
    """Neither where a reader dies as it forgets, nor where a slower one forgets less than another has by then."""
    shop.bring()
    with shop.move.session() as session, shop.move.session() as other:
        stream, theirs = session.streams[Side.SOURCE], other.streams[Side.SOURCE]

        def applied(following):
            shop.source.execute("UPDATE review SET body = body || '!' WHERE id = 1")
            stream.log.end()
            return apply_once(following)

        dying = DiesAtThePlace.connect("source", source_dsn, Role.ADMINISTRATOR, 5)
        with dying, pytest.raises(ConnectionError):
            applied(replace(stream, sender=dying, log=dying.log(stream.move)))
        assert stream.log.stopped() is None
        assert apply_once(stream) == 1

        slower = Meanwhile(stream.log, before_it_forgets=lambda: applied(theirs))
        assert applied(replace(stream, log=slower)) == 1
        assert stream.log.stopped() is None
        assert (apply_once(stream), apply_once(theirs)) == (0, 0)
    assert shop.move.verify().equal


@LOG
def test_what_the_applier_brings_is_not_captured_back(shop):
    shop.bring()
    shop.source.execute("UPDATE review SET body = 'brought' WHERE id <= 10")
    shop.move.catch_up()
    with shop.move.session() as session:
        assert session.streams[Side.TARGET].log.pending() == 0
        shop.target.execute("ALTER TABLE review DISABLE TRIGGER strangler_fence")
        shop.target.execute("UPDATE review SET body = 'rogue' WHERE id <= 10")
        session.streams[Side.TARGET].log.end()
        assert session.streams[Side.TARGET].log.pending() == 10


@LOG
def test_a_large_transaction_is_applied_in_batches_and_forgotten_at_its_end(shop):
    """The log can be cut between transactions only: whoever dies between two batches begins again."""
    shop.bring()
    shop.source.execute(
        "INSERT INTO vote (review_id, voter, helpful) SELECT id, 'x' || n, true FROM review, generate_series(1, 6) n"
    )
    shop.source.execute("UPDATE review SET body = 'behind it' WHERE id = 1")
    with shop.move.session() as session:
        session.streams[Side.SOURCE].log.end()
        assert apply_once(session.streams[Side.SOURCE]) == BATCH
    with shop.move.session() as session:
        assert [apply_once(session.streams[Side.SOURCE]) for _ in range(4)] == [BATCH, 6_000 - BATCH, 1, 0]
    assert shop.move.verify().equal


@LOG
def test_a_large_transaction_in_which_a_unique_value_wanders_is_applied_whole(shop):
    """The row that has it now is in the first batch, the one that had it in the last: they fit together only."""
    shop.bring()
    with shop.source.transaction():
        shop.source.execute("UPDATE review SET body = 'early' WHERE id = 900")
        for n in range(5):
            shop.source.execute("UPDATE vote SET voter = %s", (f"voter {n}",))
        shop.source.execute("UPDATE review SET author = 'elsewhere' WHERE id = 5")
        shop.source.execute("UPDATE review SET author = 'author 5', product_id = 6 WHERE id = 900")
    with shop.move.session() as session:
        session.streams[Side.SOURCE].log.end()
        assert apply_once(session.streams[Side.SOURCE]) == 5_003 > BATCH
    assert shop.move.verify().equal


@LOG
def test_values_that_are_not_sent_again_are_read_from_the_table(shop, source_dsn, target_dsn):
    """Long ones, which an update of another column leaves out of the log; a key among them."""
    for connection in (shop.source, shop.target):
        connection.execute(
            "CREATE TABLE page (url text PRIMARY KEY, body text, n int); ALTER TABLE page "
            "ALTER COLUMN body SET STORAGE EXTERNAL, ALTER COLUMN url SET STORAGE EXTERNAL"
        )
    shop.source.execute(
        "INSERT INTO page SELECT string_agg(md5(g.n::text || m), ''), repeat('body', 9000), 0 "
        "FROM generate_series(1, 80) m, generate_series(1, 3) g(n) GROUP BY g.n"
    )
    shop.move = Move(MoveSpec(name="0001_pages", moved=("page",), capture=Capture.LOG), source_dsn, target_dsn)
    shop.bring()
    shop.source.execute("UPDATE page SET n = 1")
    shop.source.execute("UPDATE page SET n = n")
    shop.move.catch_up()
    assert shop.target.execute("SELECT sum(n), min(length(body)) FROM page").fetchone() == (3, 36_000)
    shop.source.execute("UPDATE page SET url = 'short' WHERE url = (SELECT min(url) FROM page)")
    assert shop.move.verify().equal


@LOG
def test_an_idle_move_does_not_hold_the_servers_log_back(shop):
    shop.bring()
    place = "SELECT max(confirmed_flush_lsn) FROM pg_replication_slots WHERE database = current_database()"
    before = shop.source.execute(place).fetchone()[0]
    shop.source.execute("CREATE TABLE other AS SELECT generate_series(1, 1000) n; CHECKPOINT")
    shop.move.apply_once()
    assert shop.source.execute("SELECT pg_wal_lsn_diff((" + place + "), %s) > 20000", (before,)).fetchone() == (True,)


@LOG
def test_several_who_read_one_slot_take_turns(shop, writers):
    shop.bring()
    failures = []

    def follow():
        try:
            with shop.move.session() as session:
                while not writers.stop.is_set():
                    session.apply_once()
        except SplitError as error:
            failures.append(error)

    followers = [threading.Thread(target=follow) for _ in range(3)]
    with writers:
        for follower in followers:
            follower.start()
        for _ in range(10):
            assert shop.move.status().picture.owner is Side.SOURCE
    for follower in followers:
        follower.join(timeout=30)
    assert failures == []
    assert shop.move.verify().equal


@LOG
@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("ALTER TABLE vote REPLICA IDENTITY NOTHING", '"vote" tells the log other columns than its key'),
        ("ALTER PUBLICATION {} DROP TABLE vote", 'changes of "public.vote" are not published any more'),
        ("DROP PUBLICATION {}", 'changes of "public.review" are not published any more'),
    ],
)
def test_a_table_that_does_not_tell_its_keys_any_more_refuses_the_switch(shop, traffic, statement, why):
    shop.bring()
    shop.source.execute(statement.format(shop.source.execute(SLOT).fetchone()[0]))
    with pytest.raises(Refused, match=why):
        shop.move.switch(Side.TARGET, traffic)


@LOG
def test_a_move_whose_copy_has_not_begun_says_that_the_log_is_not_followed_yet(shop):
    shop.move.create()
    assert "in the source database the log is not followed yet; run the copy to its end" in shop.move.status().refusals


@LOG
def test_tables_whose_keys_the_log_does_not_tell_are_refused_before_anything_is_done(shop, source_dsn, target_dsn):
    shop.source.execute("ALTER TABLE review REPLICA IDENTITY USING INDEX review_reference_key")
    shop.source.execute("ALTER TABLE vote DROP CONSTRAINT vote_pkey, ADD PRIMARY KEY (id) DEFERRABLE")
    shop.source.execute("ALTER TABLE vote SET UNLOGGED")
    with pytest.raises(Refused) as refused:
        shop.move.create()
    for why in ('"review" tells the log other columns', 'primary key of "vote" is deferrable', '"vote" is unlogged'):
        assert why in str(refused.value)
    assert shop.source.execute("SELECT to_regclass('strangler.ownership')").fetchone() == (None,)
    some = MoveSpec(name="0001_some", moved=("review",), where={"review": "id < 5"}, capture=Capture.LOG)
    with pytest.raises(Refused, match="by a condition"):
        Move(some, source_dsn, target_dsn).create()


def test_a_server_that_does_not_allow_it_is_refused_with_every_reason(own, server):
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS plain")
        admin.execute("CREATE ROLE plain LOGIN PASSWORD 'plain'")
    own.source.execute("ALTER SYSTEM SET max_slot_wal_keep_size = -1")
    own.source.execute("SELECT pg_reload_conf()")
    own.source.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO plain")
    try:
        wait_for(own.source, "SELECT current_setting('max_slot_wal_keep_size') = '-1'")
        dsn = server.dsn("shop", user="plain", password="plain")
        with pytest.raises(Refused) as refused:
            Move(own.move.spec, dsn, own.move.target.dsn).create()
    finally:
        own.source.execute(KEEP_LITTLE)
        own.source.execute("SELECT pg_reload_conf()")
    for why in (
        'the user "plain" may not make a replication slot; ALTER ROLE it REPLICATION, or capture by "triggers"',
        'the user "plain" may not make a publication',
        "max_slot_wal_keep_size is not set, so a slot that nobody reads would fill the disk",
    ):
        assert why in str(refused.value)


@LOG
def test_a_finished_move_that_follows_nothing_more_leaves_no_slot(shop, traffic, source_dsn, target_dsn):
    """It would hold the server's log back, with nobody to read it."""
    shop.move = Move(replace(SPEC, replicated=(), capture=Capture.LOG), source_dsn, target_dsn)
    shop.bring()
    shop.move.switch(Side.TARGET, traffic)
    shop.move.complete(traffic)
    for side in Side:
        slots = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()"
        assert shop.connection(side).execute(slots).fetchone() == (0,)


@LOG
def test_changes_of_every_kind_follow(shop):
    shop.bring()
    shop.source.execute("UPDATE review SET body = 'changed' WHERE id = 1")
    shop.source.execute("UPDATE review SET id = 5000000 WHERE id = 3 AND false")
    shop.source.execute("DELETE FROM vote WHERE review_id = 2")
    shop.source.execute("DELETE FROM review WHERE id = 2")
    shop.source.execute("UPDATE product SET name = 'renamed' WHERE id = 7")
    shop.source.execute("UPDATE product SET price = 0 WHERE id = 8")
    shop.add_review(Side.SOURCE, "late")
    shop.move.catch_up()
    assert shop.move.verify().equal
    assert shop.target.execute("SELECT name FROM product WHERE id = 7").fetchone() == ("renamed",)


@LOG
def test_rows_written_while_the_capture_is_installed_arrive(shop, writers):
    with writers:
        shop.bring()
    shop.move.catch_up()
    assert not writers.failures
    assert set(writers.acknowledged) <= references(shop.target)


@LOG
def test_switch_reverse_and_switch_lose_nothing_under_load(shop, writers, traffic):
    shop.bring()
    with writers:
        for to in (Side.TARGET, Side.SOURCE, Side.TARGET):
            report = shop.move.switch(to, traffic)
            assert report.owner is to
    shop.move.catch_up()
    assert not writers.failures
    assert len(writers.acknowledged) > 20
    assert set(writers.acknowledged) <= references(shop.target)
    assert shop.move.verify().equal
    published = [asked for asked in traffic.asked if asked[0] == "publish"]
    assert [asked[1:3] for asked in published] == [(Side.TARGET, 2), (Side.SOURCE, 3), (Side.TARGET, 4)]


@LOG
def test_verification_under_writes_finds_no_false_difference(shop, writers):
    shop.bring()
    with writers:
        for _ in range(5):
            assert shop.move.verify().equal
    assert not writers.failures
