"""What only SQLite does: REPLACE, snapshots that cannot write, triggers that ask, files."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from strangler.split import DatabaseUnreachable, Move, MoveSpec, Refused, Side, SplitError
from strangler.split.sqlite.indexes import unique_indexes
from strangler.split.store import Database, Role
from strangler.split.table import KeyRange
from tests.integration.split.engines import REVIEWS, new_file, opened_shop


@pytest.fixture
def shop(tmp_path):
    with opened_shop({side: ("sqlite", new_file(tmp_path, side)) for side in Side}) as opened:
        yield opened


@pytest.fixture
def files(tmp_path):
    """Two databases, and what makes a move of one table in them."""
    dsns = {side: new_file(tmp_path, side) for side in Side}

    def made(*statements, names=("thing",)):
        for dsn in dsns.values():
            connection = sqlite3.connect(dsn.removeprefix("sqlite://"), isolation_level=None)
            for statement in statements:
                connection.execute(statement)
            connection.close()
        return Move(MoveSpec(name="0001_things", moved=names), dsns[Side.SOURCE], dsns[Side.TARGET])

    return made


def opened(move, side=Side.SOURCE):
    dsn = (move.source if side is Side.SOURCE else move.target).dsn
    return sqlite3.connect(dsn.removeprefix("sqlite://"), isolation_level=None, timeout=2)


def bring(move):
    move.create()
    move.copy(lambda progress: None)
    move.catch_up()
    assert move.verify().equal


def logged(connection):
    return {key for (key,) in connection.execute("SELECT key FROM strangler_changes WHERE name = 'thing'")}


@pytest.mark.parametrize("recursive", ["ON", "OFF"])
def test_rows_that_a_replace_takes_away_are_taken_away_over_there(shop, recursive):
    shop.bring()
    shop.source.run(f"PRAGMA recursive_triggers = {recursive}")
    product, author = shop.source.run("SELECT product_id, author FROM review WHERE id = 10")[0]
    reference = shop.source.scalar("SELECT reference FROM review WHERE id = 11")
    # Both rows give way: one by (product_id, author), the other by its reference.
    shop.source.run(
        "INSERT OR REPLACE INTO review (reference, product_id, author) VALUES (?, ?, ?)", (reference, product, author)
    )
    shop.source.run("UPDATE OR REPLACE vote SET review_id = 20, voter = 'voter' WHERE review_id = 21")
    shop.source.run("REPLACE INTO label (lang, word, note) SELECT lang, word, 'replaced' FROM label LIMIT 3")
    assert shop.source.count("review") == REVIEWS - 1
    shop.move.catch_up()
    assert shop.move.verify().equal
    assert shop.target.run("SELECT id FROM review WHERE id IN (10, 11)") == []


@pytest.mark.parametrize(
    "index",
    [
        "CREATE UNIQUE INDEX one ON thing (lower(name), kind)",
        "CREATE UNIQUE INDEX one ON thing (name COLLATE NOCASE DESC, kind)",
        "CREATE UNIQUE INDEX one ON thing (name COLLATE NOCASE) WHERE kind = 'a' /* (, */",
        'CREATE UNIQUE INDEX "o(n,e" ON thing (lower("name" || \')\'), kind) WHERE "kind" IS NOT NULL',
    ],
)
def test_a_replace_by_any_unique_index_is_followed(files, index):
    move = files("CREATE TABLE thing (id integer PRIMARY KEY, name text, kind text, note text)", index)
    with opened(move) as source:
        source.execute("INSERT INTO thing VALUES (1, 'Ab', 'a', ''), (2, 'ab', 'b', ''), (3, 'xy', 'a', '')")
        bring(move)
        source.execute("INSERT OR REPLACE INTO thing VALUES (4, 'aB', 'a', 'replaces the first')")
        assert logged(source) == {"[1]", "[4]"}
        source.execute("UPDATE OR REPLACE thing SET name = 'AB' WHERE id = 3")
        assert logged(source) == {"[1]", "[3]", "[4]"}
        assert [row[0] for row in source.execute("SELECT id FROM thing ORDER BY id")] == [2, 3]
        move.catch_up()
        assert move.verify().equal


def test_the_rows_that_would_give_way_are_looked_up_by_the_index(files):
    move = files(
        "CREATE TABLE thing (id integer PRIMARY KEY, name text, kind text)",
        "CREATE UNIQUE INDEX one ON thing (lower(name)) WHERE kind = 'a'",
    )
    with opened(move) as source:
        (index,) = unique_indexes(source, "thing")
        condition = index.replaced({column: f":{column}" for column in ("id", "name", "kind")})
        statement = f"EXPLAIN QUERY PLAN SELECT id FROM thing WHERE {condition}"
        plan = str(source.execute(statement, {"id": 1, "name": "x", "kind": "a"}).fetchall())
    assert "USING INDEX one" in plan
    assert "SEARCH thing" in plan


def test_a_write_that_only_looks_like_a_replace_takes_nothing_away(files):
    move = files("CREATE TABLE thing (id integer PRIMARY KEY, name text UNIQUE)")
    with opened(move) as source:
        source.execute("INSERT INTO thing VALUES (1, 'a')")
        bring(move)
        source.execute("INSERT OR IGNORE INTO thing VALUES (2, 'a')")
        with pytest.raises(sqlite3.IntegrityError):
            source.execute("INSERT INTO thing VALUES (3, 'a')")
        source.execute("INSERT INTO thing VALUES (4, 'a') ON CONFLICT (name) DO UPDATE SET name = 'b'")
        move.catch_up()
        assert move.verify().equal
    with opened(move, Side.TARGET) as target:
        assert target.execute("SELECT * FROM thing").fetchall() == [(1, "b")]


@pytest.mark.parametrize("conflict", ["IGNORE", "REPLACE", "FAIL", "ROLLBACK", "ABORT"])
def test_no_conflict_clause_passes_the_fence(shop, conflict):
    shop.bring()
    before = shop.target.run("SELECT * FROM ticket ORDER BY code")
    for statement in (
        f"INSERT OR {conflict} INTO ticket SELECT code, 'rogue' FROM ticket",
        f"UPDATE OR {conflict} ticket SET note = 'rogue'",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="SF001"):
            shop.target.run(statement)
    assert shop.target.run("SELECT * FROM ticket ORDER BY code") == before


def test_a_transaction_with_an_old_snapshot_cannot_write_past_the_fence(shop, traffic):
    shop.bring()
    shop.source.run("BEGIN")
    assert shop.source.count("review") == REVIEWS  # its snapshot is of before the fence
    shop.move.switch(Side.TARGET, traffic)
    with pytest.raises(sqlite3.OperationalError) as refused:
        shop.source.add_review("late")
    assert refused.value.sqlite_errorname == "SQLITE_BUSY_SNAPSHOT"
    shop.source.run("ROLLBACK")
    with pytest.raises(sqlite3.IntegrityError, match="SF001"):
        shop.source.add_review("later")


def test_nobody_else_ever_sees_the_appliers_mark(shop):
    shop.bring()
    database = Database(name="target", dsn=shop.target.dsn)
    with database.connect(Role.APPLIER) as applier, database.connect(lock_timeout=0.05) as other:
        ticket = applier.describe("ticket")
        with applier.transaction():
            applier.delete(ticket, KeyRange())
            assert applier.query("SELECT at_work FROM strangler_applier") == [(1,)]
            assert other.query("SELECT at_work FROM strangler_applier") == [(0,)]
            with pytest.raises(SplitError, match="kept writing for too long"):
                other.execute("INSERT INTO ticket VALUES ('rogue', NULL)")
        assert other.query("SELECT at_work FROM strangler_applier") == [(0,)]
        with pytest.raises(SplitError, match="SF001"):
            other.execute("INSERT INTO ticket VALUES ('rogue', NULL)")


def test_an_applier_killed_in_its_transaction_leaves_neither_rows_nor_mark(shop):
    shop.bring()
    script = """
import os, signal, sys
from strangler.split.store import Database, Role
from strangler.split.table import KeyRange
store = Database(name="target", dsn=sys.argv[1]).connect(Role.APPLIER)
with store.transaction():
    store.delete(store.describe("ticket"), KeyRange())
    store.execute("PRAGMA cache_spill = 1")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    died = subprocess.run(
        [sys.executable, "-c", script, shop.target.dsn],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert shop.target.count("ticket") == REVIEWS
    with pytest.raises(sqlite3.IntegrityError, match="SF001"):
        shop.target.run("DELETE FROM ticket")
    shop.source.run("DELETE FROM ticket WHERE note = 'ticket 1'")
    shop.move.catch_up()
    assert shop.move.verify().equal


def test_looking_for_changes_writes_nothing(shop):
    shop.bring()
    with shop.move.session() as session:
        session.apply_once()
        shop.target.run("PRAGMA wal_checkpoint(TRUNCATE)")
        log = Path(shop.target.dsn.removeprefix("sqlite://") + "-wal")
        assert session.apply_once() == 0
        assert log.stat().st_size == 0


def test_values_of_any_storage_class_are_carried_as_they_are(files):
    move = files("CREATE TABLE thing (id integer PRIMARY KEY, a, b int, c text, d real)")
    odd = [
        (1, 1, "text", b"\x00", 1),
        (2, 1.0, 1.5, "nul \x00 within", "text"),
        (3, b"1", 2**63 - 1, "\u2603", float("inf")),
        (4, "1", None, "", -0.0),
    ]
    with opened(move) as source:
        source.executemany("INSERT INTO thing VALUES (?, ?, ?, ?, ?)", odd)
        bring(move)
        source.execute("UPDATE thing SET a = 1.0 WHERE id = 1")
        move.catch_up()
        assert move.verify().equal
        wanted = source.execute("SELECT *, typeof(a), typeof(b), typeof(c), typeof(d) FROM thing").fetchall()
    with opened(move, Side.TARGET) as target:
        assert target.execute("SELECT *, typeof(a), typeof(b), typeof(c), typeof(d) FROM thing").fetchall() == wanted
        target.execute("BEGIN IMMEDIATE")
        target.execute("UPDATE strangler_applier SET at_work = 1")
        target.execute("UPDATE thing SET a = 1 WHERE id = 2")
        target.execute("UPDATE strangler_applier SET at_work = 0")
        target.execute("COMMIT")
    assert [one.what for one in move.verify().differences] == ["differs in a"]


def test_bytes_as_keys_are_followed(files):
    move = files("CREATE TABLE thing (id blob NOT NULL PRIMARY KEY, a)")
    with opened(move) as source:
        source.executemany("INSERT INTO thing VALUES (?, 1)", [(bytes([n, 0, 255 - n]),) for n in range(200)])
        bring(move)
        source.execute("DELETE FROM thing WHERE id = x'0700F8'")
        source.execute("UPDATE thing SET a = 2 WHERE id = x'0800F7'")
        move.catch_up()
        assert move.verify().equal


def test_a_key_of_another_type_does_not_fail_the_application(files):
    move = files("CREATE TABLE thing (id text NOT NULL PRIMARY KEY, a)")
    bring(move)
    with opened(move) as source:
        source.execute("INSERT INTO thing VALUES (x'00FF', 1)")
    move.catch_up()
    with pytest.raises(SplitError, match="by which no row can be followed"):
        move.verify()


def test_a_table_that_a_migration_made_anew_stops_the_applier_and_refuses_the_switch(shop, traffic):
    """As Django alters a table on SQLite; the triggers go with the old one."""
    shop.bring()
    with shop.move.session() as session:
        shop.source.run("CREATE TABLE new__ticket (code char(32) NOT NULL PRIMARY KEY, note text)")
        shop.source.run("INSERT INTO new__ticket SELECT code, note FROM ticket")
        shop.source.run("DROP TABLE ticket")
        shop.source.run("ALTER TABLE new__ticket RENAME TO ticket")
        shop.source.add_review("after")
        with pytest.raises(SplitError, match="were altered"):
            session.apply_once()
    with pytest.raises(Refused, match='the capture on "ticket" is gone') as refused:
        shop.move.switch(Side.TARGET, traffic)
    assert 'the fence on "ticket" is gone' in str(refused.value)
    shop.move.cancel()
    shop.bring()


def test_an_ownership_row_that_does_not_fit_the_side_is_named(shop):
    shop.bring()
    with Database(name="target", dsn=shop.target.dsn).connect() as store, shop.move.session() as session:
        claims, captured = session.layout.claims(Side.TARGET), session.layout.captured(Side.TARGET)
        assert list(store.guard_faults(shop.move.spec, claims, captured, fenced=True)) == []
        assert "the fences are closed" in "".join(store.guard_faults(shop.move.spec, claims, captured, fenced=False))


THING = "CREATE TABLE thing (id integer PRIMARY KEY, name text)"


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        (["PRAGMA journal_mode = DELETE", THING], 'the journal mode is "delete"'),
        (["CREATE TABLE thing (name text)"], "has no primary key"),
        (["CREATE TABLE thing (name text PRIMARY KEY)"], 'key column "name" of "thing" takes NULL'),
        (["CREATE TABLE thing (id real PRIMARY KEY NOT NULL)"], "does not write exactly as text"),
        (["CREATE VIRTUAL TABLE thing USING fts5 (name)"], '"thing" is no ordinary table'),
        (["CREATE TABLE x (id)", "CREATE VIEW thing AS SELECT * FROM x"], '"thing" is no ordinary table'),
        (["CREATE TABLE other (id integer PRIMARY KEY)"], 'there is no table "thing"'),
        ([THING, "CREATE TRIGGER mine AFTER INSERT ON thing BEGIN SELECT 1; END"], 'the trigger "mine" on "thing"'),
        (
            ["CREATE TABLE thing (id integer PRIMARY KEY, x REFERENCES other)", "CREATE TABLE other (id PRIMARY KEY)"],
            r'a foreign key \(x\) still ties "thing" to "other"',
        ),
        (
            ["CREATE TABLE thing (id text NOT NULL PRIMARY KEY)", "INSERT INTO thing VALUES (x'00')"],
            "holds X'00', which is no text",
        ),
    ],
)
def test_what_cannot_be_moved_is_refused_before_anything_is_done(files, statements, why):
    move = files(*statements)
    with pytest.raises(SplitError, match=why):
        move.create()
    with opened(move) as source, opened(move, Side.TARGET) as target:
        for connection in (source, target):
            assert connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'strangler%'").fetchall() == []


def test_a_check_that_only_the_application_can_make_is_refused(tmp_path, files):
    statement = "CREATE TABLE thing (id integer PRIMARY KEY, name text CHECK (name REGEXP '^a'))"
    move = files()
    for side in Side:
        with opened(move, side) as connection:
            connection.create_function("regexp", 2, lambda pattern, text: True, deterministic=True)
            connection.execute(statement)
    with pytest.raises(Refused, match=r"cannot be written by anybody but its application \(.* function: REGEXP"):
        move.create()


def test_a_collation_that_only_the_application_knows_is_refused(files):
    move = files()
    for side in Side:
        with opened(move, side) as connection:
            connection.create_collation("german", lambda one, other: (one > other) - (one < other))
            connection.execute("CREATE TABLE thing (id integer PRIMARY KEY, name text COLLATE german UNIQUE)")
    with pytest.raises(Refused, match='the collation "german" of "thing" is known to its application only; use a buil'):
        move.create()


def test_another_encoding_and_too_old_a_sqlite_are_refused(tmp_path, monkeypatch):
    dsns = [f"sqlite://{tmp_path}/{side}.sqlite3" for side in Side]
    for dsn in dsns:
        connection = sqlite3.connect(dsn.removeprefix("sqlite://"), isolation_level=None)
        for statement in ("PRAGMA encoding = 'UTF-16'", "PRAGMA journal_mode = WAL", THING):
            connection.execute(statement)
        connection.close()
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 2))
    with pytest.raises(Refused) as refused:
        Move(MoveSpec(name="0001_things", moved=("thing",)), *dsns).create()
    assert "the encoding is UTF-16le; only UTF-8 can be compared" in str(refused.value)
    assert "3.38 is the oldest that can take part" in str(refused.value)


def test_a_lock_that_cannot_be_had_or_is_lost_is_told(files, tmp_path):
    with Database(name="source", dsn=files(THING).source.dsn).connect() as store:
        locks = store.locks("a plan")
        assert locks.take("plan 0001") is None
        (file,) = tmp_path.glob("*-strangler-????????????")
        file.unlink()
        with pytest.raises(SplitError, match=f'somebody has removed "{file}"'):
            locks.check()
        locks.close()
        file.mkdir()
        with pytest.raises(SplitError, match=rf'cannot lock "{file}" beside the database: .*; check the directory'):
            store.locks("a plan").take("plan 0001")


def test_a_file_that_is_not_there_or_no_database_is_named(tmp_path):
    with pytest.raises(DatabaseUnreachable, match="there is no file"):
        Database(name="source", dsn=f"sqlite://{tmp_path}/missing.sqlite3").connect()
    path = tmp_path / "text.sqlite3"
    path.write_text("this is no database at all, but long enough to be read as one" * 20)
    with pytest.raises(
        DatabaseUnreachable,
        match=r"cannot open the source database .*: file is not a database; check the file and its rights",
    ):
        Database(name="source", dsn=f"sqlite://{path}").connect()


def test_one_file_under_two_names_is_one_database(shop, tmp_path):
    link = tmp_path / "link.sqlite3"
    link.symlink_to(shop.source.dsn.removeprefix("sqlite://"))
    with pytest.raises(Refused, match="are the same database"):
        Move(shop.move.spec, shop.source.dsn, f"sqlite://{link}").create()
