"""The fence of MariaDB and MySQL as writers meet it."""

import re
import threading

import pymysql
import pytest

from strangler.refusal import Refusal, refusal_of
from strangler.split import DatabaseUnreachable, Move, Refused, Side, SplitError, SwitchAborted
from strangler.split.copying import Throttle
from strangler.split.cutover import Step
from strangler.split.deletions import Followed
from strangler.split.limits import Limits
from strangler.split.store import Database, Role
from strangler.split.table import EVERYTHING
from tests.integration.split.mysql_client import Client

AS_IT_WAS = [
    "SET GLOBAL read_only = 0",
    "SET GLOBAL innodb_flush_log_at_trx_commit = 1",
    "SET GLOBAL sync_binlog = 1",
    "SET GLOBAL binlog_format = 'ROW'",
    "DROP USER IF EXISTS ''@'localhost'",
]
NO_REPLICA = {"mariadb": "RESET SLAVE ALL", "mysql": "RESET REPLICA ALL"}
MARIADB_ONLY = ("SYSTEM VERSIONING", "SEQUENCE", "CHANGE MASTER")
MYSQL_ONLY = ("CHANGE REPLICATION",)
OPEN = "INSERT INTO review (reference, product_id, author) VALUES (uuid(), 1, 'open')"


@pytest.mark.parametrize(
    "statement",
    [
        OPEN,
        "UPDATE review SET body = 'x' WHERE id = 1",
        "DELETE FROM vote WHERE id = 1",
        "REPLACE INTO review (reference, product_id, author) VALUES (uuid(), 2, 'author 1')",
        "INSERT IGNORE INTO vote (review_id, voter, helpful) VALUES (1, 'x', true)",
        "INSERT INTO review (id, reference, product_id, author) VALUES (1, uuid(), 1, 'x') "
        "ON DUPLICATE KEY UPDATE body = 'x'",
        "UPDATE review r JOIN vote v ON v.review_id = r.id SET v.helpful = NOT v.helpful",
        "DELETE r, v FROM review r JOIN vote v ON v.review_id = r.id",
        "LOAD DATA LOCAL INFILE '{file}' INTO TABLE vote (review_id, voter, helpful)",
        "LOAD DATA LOCAL INFILE '{file}' REPLACE INTO TABLE vote (review_id, voter, helpful)",
    ],
)
def test_every_way_to_write_is_refused_with_move_and_term(shop, tmp_path, statement):
    shop.bring()
    file = tmp_path / "votes.tsv"
    file.write_text("1\tloaded\t1\n")
    with Client(shop.target.dsn, local_infile=True) as client, pytest.raises(pymysql.Error) as refused:
        client.query(statement.replace("{file}", str(file)))
    assert refusal_of(refused.value) == Refusal(move="0001_reviews", term=0)
    assert shop.move.verify().equal


def test_a_replicated_table_is_a_read_only_copy(shop):
    shop.bring()
    with pytest.raises(pymysql.Error, match=r'table "product" is a read-only copy kept by move "0001_reviews"'):
        shop.target.query("UPDATE product SET name = 'x'")


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("table", ["review", "vote", "product"])
def test_truncate_is_refused_on_both_sides(shop, side, table):
    shop.bring()
    with pytest.raises(pymysql.Error) as refused:
        shop.client(side).query(f"TRUNCATE {table}")
    assert refused.value.args[0] == 1701


@pytest.mark.parametrize("side", list(Side))
def test_truncate_without_foreign_key_checks_passes_the_fence_but_refuses_the_switch(shop, traffic, side):
    """It fires no trigger, but the table has another number afterwards: only a new comparison lets a switch begin."""
    shop.bring()
    client = shop.client(side)
    with shop.move.session() as session:
        client.query("SET SESSION foreign_key_checks = 0")
        client.query("TRUNCATE vote")
        if side is Side.SOURCE:
            shop.add_review(Side.SOURCE, "after")
            with pytest.raises(SplitError, match="were altered"):
                session.apply_once()
    with pytest.raises(Refused, match=f"tables of the {side} were altered since the last verification"):
        shop.move.switch(Side.TARGET, traffic)
    assert len(shop.move.verify().differences) == 1_000
    with pytest.raises(Refused, match="the last verification found 1,000 rows that differ"):
        shop.move.switch(Side.TARGET, traffic)
    assert shop.move.picture().owner is Side.SOURCE


def test_a_table_that_is_made_anew_as_it_was_asks_for_a_comparison_only(shop, traffic):
    shop.bring()
    shop.source.query("OPTIMIZE TABLE review")
    with pytest.raises(Refused, match="tables of the source were altered since the last verification"):
        shop.move.switch(Side.TARGET, traffic)
    assert shop.move.verify().equal
    assert shop.move.switch(Side.TARGET, traffic).owner is Side.TARGET


def test_a_statement_that_meets_no_row_is_not_refused_and_writes_nothing(shop):
    shop.bring()
    for statement in ("UPDATE review SET body = 'x' WHERE id < 0", "DELETE FROM vote WHERE id < 0"):
        shop.target.query(statement)
    assert shop.move.verify().equal


def test_a_server_that_checks_no_foreign_keys_is_refused(shop):
    shop.source.query("SET GLOBAL foreign_key_checks = 0")
    try:
        with pytest.raises(Refused, match="TRUNCATE would pass the fence; set foreign_key_checks to ON"):
            shop.move.create()
    finally:
        shop.source.query("SET GLOBAL foreign_key_checks = 1")


def test_a_transaction_that_stays_open_makes_the_fence_give_up(shop, traffic, source_dsn):
    shop.bring()
    limits = Limits(lock=0.1, fence_attempts=2, fence_pause=0.05)
    with Client(source_dsn) as open_one:

        def write(step, facts):
            if step is Step.HOLD and facts["attempt"] == 1:
                open_one.begin()
                open_one.query(OPEN)

        with pytest.raises(SwitchAborted, match=r"kept its tables locked longer than 0\.1 s, 2 times"):
            shop.move.switch(Side.TARGET, traffic, on_step=write, limits=limits)
        assert shop.move.picture().owner is Side.SOURCE
        assert traffic.asked == [("hold", 8.0), ("release",)] * 2
        open_one.commit()
    shop.move.switch(Side.TARGET, traffic)
    assert shop.target.one("SELECT count(*) FROM review WHERE author = 'open'") == 1


def test_a_transaction_left_open_across_the_switch_is_waited_for(shop, traffic, source_dsn):
    shop.bring()
    open_one = Client(source_dsn)
    commit = threading.Timer(0.3, open_one.commit)

    def write(step, facts):
        if step is Step.FENCE:
            open_one.begin()
            open_one.query(OPEN)
            commit.start()

    report = shop.move.switch(Side.TARGET, traffic, on_step=write, limits=Limits(lock=5))
    commit.join()
    open_one.close()
    assert report.pause_ms > 250
    assert shop.target.one("SELECT count(*) FROM review WHERE author = 'open'") == 1


def test_a_transaction_that_is_open_before_the_switch_refuses_it(shop, traffic, source_dsn):
    shop.bring()
    with Client(source_dsn) as open_one:
        open_one.begin()
        open_one.query(OPEN)
        with pytest.raises(Refused, match="has held tables of the source for more than 0 s"):
            shop.move.switch(Side.TARGET, traffic, limits=Limits(transaction_age=0))
    assert not traffic.asked


@pytest.mark.parametrize("isolation", ["REPEATABLE READ", "SERIALIZABLE", "READ UNCOMMITTED"])
def test_an_old_transaction_cannot_write_past_the_fence(shop, traffic, source_dsn, isolation):
    shop.bring()
    with Client(source_dsn, isolation=isolation) as old:
        old.begin()
        old.query("SELECT count(*) FROM product")
        shop.move.switch(Side.TARGET, traffic)
        with pytest.raises(pymysql.Error) as refused:
            old.query(OPEN)
        assert refusal_of(refused.value) == Refusal(move="0001_reviews", term=1)


@pytest.mark.parametrize("engine", ["mariadb"])
def test_an_old_snapshot_that_the_server_itself_refuses_cannot_write_either(shop, traffic, source_dsn):
    """Newer servers say so first: what the fence reads has changed since the snapshot."""
    shop.bring()
    with Client(source_dsn, isolation="REPEATABLE READ") as old:
        old.query("SET SESSION innodb_snapshot_isolation = ON")
        old.begin()
        old.query("SELECT count(*) FROM product")
        shop.move.switch(Side.TARGET, traffic)
        with pytest.raises(pymysql.Error, match="Record has changed since last read"):
            old.query(OPEN)


def test_a_writing_transaction_on_another_table_holds_nothing_up(shop, traffic, source_dsn):
    shop.bring()
    with Client(source_dsn) as busy:
        busy.begin()
        busy.query("CREATE TEMPORARY TABLE scratch (id int) ENGINE = InnoDB")
        busy.query("INSERT INTO scratch VALUES (1)")
        shop.add_review(Side.SOURCE, "meanwhile")
        shop.move.switch(Side.TARGET, traffic)
        with pytest.raises(pymysql.Error, match="owned elsewhere"):
            busy.query(OPEN)
    assert shop.target.one("SELECT count(*) FROM review WHERE author = 'meanwhile'") == 1


def test_a_prepared_transaction_makes_the_switch_go_back(shop, engine, traffic, source_dsn):
    """MariaDB gives its shared locks up, so the fence does not wait for it; its rows of the log say that it is there.
    MySQL keeps them."""
    shop.bring()
    why = {
        "mariadb": "a transaction of the source database that has written .*: a prepared one",
        "mysql": "kept its tables locked longer",
    }
    written = []
    with Client(source_dsn) as prepared:

        def write(step, facts):
            if step is Step.FENCE and not written:
                written.append(OPEN)
                prepared.query("XA START 'late'")
                prepared.query(OPEN)
                prepared.query("XA END 'late'")
                prepared.query("XA PREPARE 'late'")

        try:
            with pytest.raises(SwitchAborted, match=why[engine]):
                shop.move.switch(Side.TARGET, traffic, on_step=write)
            assert shop.move.picture().owner is Side.SOURCE
        finally:
            prepared.query("XA COMMIT 'late'")
    shop.move.switch(Side.TARGET, traffic)
    assert shop.target.one("SELECT count(*) FROM review WHERE author = 'open'") == 1


def test_only_the_user_that_applies_passes(shop):
    shop.bring()
    shop.target.query("CREATE USER IF NOT EXISTS strangler_applier@'%' IDENTIFIED BY 'x'")
    shop.target.query("GRANT ALL ON *.* TO strangler_applier@'%'")
    dsn = re.sub("//[^@]+@", "//strangler_applier:x@", shop.target.dsn)
    try:
        with Client(dsn) as other, pytest.raises(pymysql.Error, match="owned elsewhere"):
            other.query(OPEN)
    finally:
        shop.target.query("DROP USER strangler_applier@'%'")
    shop.as_applier(Side.TARGET, "UPDATE review SET body = 'x' WHERE id = 1")
    assert shop.target.one("SELECT count(*) FROM strangler_changes WHERE name = 'review'") == 0


def test_an_administrator_with_another_password_applies_too(shop, source_dsn, target_dsn):
    shop.bring()
    shop.target.query("CREATE USER second@'127.0.0.1' IDENTIFIED BY 'another'")
    shop.target.query("GRANT ALL ON *.* TO second@'127.0.0.1' WITH GRANT OPTION")
    try:
        shop.add_review(Side.SOURCE, "by the second")
        second = re.sub("//[^@]+@", "//second:another@", target_dsn)
        Move(shop.move.spec, source_dsn, second).catch_up()
        shop.add_review(Side.SOURCE, "by the first again")
        shop.move.catch_up()
        assert shop.move.verify().equal
    finally:
        shop.target.query("DROP USER second@'127.0.0.1'")


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("ALTER TABLE vote ADD CONSTRAINT c FOREIGN KEY (review_id) REFERENCES review (id) ON DELETE CASCADE",
         "by ON DELETE CASCADE, which fires no trigger"),
        ("ALTER TABLE vote ADD CONSTRAINT c FOREIGN KEY (review_id) REFERENCES review (id) ON UPDATE CASCADE",
         "by ON UPDATE CASCADE, which fires no trigger"),
        ("ALTER TABLE review ADD CONSTRAINT c FOREIGN KEY (product_id) REFERENCES product (id)",
         'the foreign key "c" still ties "review" to "product"; cut it first'),
        ("ALTER TABLE vote ENGINE = MyISAM", "is kept by MyISAM, which has no transactions"),
        ("ALTER TABLE vote DROP FOREIGN KEY vote_ibfk_1, DROP KEY review_id PARTITION BY HASH (id) PARTITIONS 4",
         "is partitioned"),
        ("ALTER TABLE vote ADD SYSTEM VERSIONING", "only plain tables can be moved"),
        ("ALTER TABLE vote MODIFY voter varchar(200) CHARACTER SET sjis", "is in sjis, of which not every character"),
        ("SET GLOBAL read_only = 1", "is a replica"),
        ("SET GLOBAL innodb_flush_log_at_trx_commit = 2", "forgets its last commits in a power cut"),
        ("SET GLOBAL sync_binlog = 0", "takes commits back after a power cut that had not reached its binary log"),
        ("SET GLOBAL binlog_format = 'STATEMENT'", "writes statements to its binary log (STATEMENT)"),
        ("SET GLOBAL binlog_format = 'MIXED'", "writes statements to its binary log (MIXED)"),
        ("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_USER = 'x'", "is a replica"),
        ("CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_USER = 'x'", "is a replica"),
        ("ALTER TABLE product ADD COLUMN parent bigint, ADD CONSTRAINT c FOREIGN KEY (parent) REFERENCES product (id) "
         "ON DELETE SET NULL", 'changes rows of "product" by ON DELETE SET NULL, which fires no trigger'),
        ("CREATE TABLE {other}.child (id bigint, CONSTRAINT c FOREIGN KEY (id) REFERENCES {this}.review (id))",
         'the foreign key "c" still ties "{other}.child" to "review"; cut it first'),
        ("CREATE SEQUENCE s; ALTER TABLE vote MODIFY helpful bigint NOT NULL DEFAULT nextval(s)",
         "takes its numbers from a sequence"),
        ("CREATE USER ''@'localhost'", "lets anybody in under any name"),
    ],
)  # fmt: skip
def test_what_is_not_fit_is_refused_and_nothing_is_changed(shop, engine, new_database, statement, why):
    if any(what in statement for what in {"mariadb": MYSQL_ONLY, "mysql": MARIADB_ONLY}[engine]):
        return  # the other server's
    with new_database(engine, Side.SOURCE) as other:
        names = {"this": shop.source.dsn.rsplit("/", 1)[1], "other": other.rsplit("/", 1)[1]}
        refuse(shop, [*AS_IT_WAS, NO_REPLICA[engine]], statement.format(**names), why.format(**names))


def refuse(shop, as_it_was, statement, why):
    if "FOREIGN KEY vote_ibfk_1" in statement:
        shop.source.query("ALTER TABLE vote DROP FOREIGN KEY vote_ibfk_1")
        statement = "ALTER TABLE vote DROP KEY review_id PARTITION BY HASH (id) PARTITIONS 4"
    if "SYSTEM VERSIONING" in statement or "MyISAM" in statement:
        shop.source.query("ALTER TABLE vote DROP FOREIGN KEY vote_ibfk_1")
    for part in statement.split("; "):
        shop.source.query(part)
    try:
        with pytest.raises(SplitError, match=re.escape(why)):
            shop.move.create()
    finally:
        for setting in as_it_was:
            shop.source.query(setting)
    for client in (shop.source, shop.target):
        assert not client.query("SHOW TABLES LIKE 'strangler%'")


def test_a_setting_that_was_changed_since_refuses_the_switch(shop, traffic):
    shop.bring()
    shop.source.query("SET GLOBAL sync_binlog = 0")
    try:
        with pytest.raises(Refused, match="takes commits back after a power cut"):
            shop.move.switch(Side.TARGET, traffic)
    finally:
        shop.source.query("SET GLOBAL sync_binlog = 1")
    shop.move.switch(Side.TARGET, traffic)


def test_the_same_database_twice_is_refused(shop, source_dsn):
    with pytest.raises(Refused, match="are the same database"):
        Move(shop.move.spec, source_dsn, source_dsn.replace("mysql://", "mariadb://")).create()


def test_a_wrong_dsn_is_one_sentence_without_the_password(shop, source_dsn, target_dsn):
    for dsn, why in (
        ("mysql://strangler:hidden@127.0.0.1:1/shop", 'cannot connect to the source database "shop" at 127.0.0.1:1'),
        ("mysql://nobody:hidden@" + source_dsn.split("@")[1], 'as "nobody": Access denied'),
        ("mysql:///shop", "write it as mysql://user:password@host:port/database"),
        ("mysql://a:hidden@h:port/x", "cannot be read"),
        ("oracle://a:hidden@h/x", 'begins with "oracle"'),
    ):
        with pytest.raises(SplitError, match=re.escape(why)) as refused:
            Move(shop.move.spec, dsn, target_dsn).status()
        assert "hidden" not in str(refused.value)


def test_a_server_is_asked_for_the_certificate_that_the_dsn_names(servers, source_dsn):
    home = servers[Side.SOURCE].data.parent
    with Database(name="source", dsn=f"{source_dsn}?ssl_ca={home}/own.pem").connect() as store:
        assert store.query("SHOW STATUS LIKE 'Ssl_cipher'")[0][1]
    with pytest.raises(DatabaseUnreachable, match=r"(?i)certificate"):
        Database(name="source", dsn=f"{source_dsn}?ssl_ca={home}/another.pem").connect()


def test_a_guard_against_truncate_that_somebody_dropped_is_named(shop):
    shop.move.create()
    (guard, *_), *_ = shop.source.query("SHOW TABLES LIKE 'strangler_guard_%'")
    shop.source.query(f"DROP TABLE `{guard}`")
    assert any(
        re.fullmatch('in the source database nothing forbids TRUNCATE of ".*" any more; cancel the move and .*', reason)
        for reason in shop.move.status().refusals
    )


def test_a_throttle_by_what_no_server_knows_is_refused_and_nothing_is_copied(shop):
    shop.move.create()
    bounded = Move(shop.move.spec, shop.source.dsn, shop.target.dsn, Throttle(replica_lag=5))
    with pytest.raises(
        SplitError, match="does not know how far its replicas are behind; throttle the copy by rows_per"
    ):
        bounded.copy(lambda progress: None)
    assert shop.count(Side.TARGET, "review") == 0


def test_a_value_that_functions_would_give_as_null_is_told_and_never_taken_for_none(shop):
    """MariaDB's functions give NULL for what is longer than max_allowed_packet; a row may have come before that."""
    shop.source.query("UPDATE review SET body = repeat('x', 2000000) WHERE id = 1")
    longer = 'a row of table "`review`" is longer than the server\'s max_allowed_packet; set that higher'
    before = shop.source.one("SELECT @@GLOBAL.max_allowed_packet")
    shop.source.query("SET GLOBAL max_allowed_packet = 1048576")
    try:
        with shop.move.source.connect() as store:
            review = store.describe("review")
            for read in (store.dump, store.digests, store.checksum):
                with pytest.raises(SplitError, match=re.escape(longer)):
                    list(read(review, EVERYTHING))
            with pytest.raises(SplitError, match=re.escape(longer)):
                store.texts(review, (("1",),))
        shop.move.create()
        with pytest.raises(
            SplitError, match='a row of table "`review`" is longer than the server\'s max_allowed_packet'
        ):
            shop.move.copy(lambda progress: None)
    finally:
        shop.source.query(f"SET GLOBAL max_allowed_packet = {before}")


def test_an_applier_that_is_not_there_yet_is_told(shop):
    with pytest.raises(SplitError, match=r'the user "strangler_applier_.*", by whom changes .*; create the move first'):
        Database(name="source", dsn=shop.source.dsn).connect(Role.APPLIER)


def test_deletions_that_a_truncate_could_hide_are_refused(shop):
    followed = Followed(
        table="review",
        key="reference",
        service="mail",
        field="mail.Letter.review",
        column="review_id",
        on_delete="cascade",
    )
    with Database(name="source", dsn=shop.source.dsn).connect() as store:
        (fault,) = store.unseen_deletions(followed)
    assert 'points at column "reference" of "review", which is not its primary key' in fault
