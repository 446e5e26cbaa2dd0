"""Archives of MariaDB, MySQL and SQLite: every value comes back from the files, which are what is dropped."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pymysql
import pytest

from strangler.split import Move, MoveSpec, Side
from strangler.split.archive import sha256, write_archive
from strangler.split.errors import Refused, SplitError
from strangler.split.retirement import Retirement
from strangler.split.store import Database, Role
from strangler.split.table import EVERYTHING
from tests.integration.plans.conftest import new_database
from tests.integration.split.column_types import NATIVE
from tests.integration.split.conftest import RecordedTraffic
from tests.integration.split.mysql_client import Client

ENGINES = ["mariadb", "mysql", "sqlite"]
NOW = timedelta(0)
SHOP = (
    "CREATE TABLE review (id {number} PRIMARY KEY {counted}, title varchar(50) NOT NULL UNIQUE, body text)",
    "CREATE TABLE vote (id bigint NOT NULL PRIMARY KEY, review_id bigint NOT NULL, "
    "FOREIGN KEY (review_id) REFERENCES review (id))",
    "CREATE INDEX by_body ON review (title, id)",
)
COUNTED = {"sqlite": ("integer", "AUTOINCREMENT"), "mariadb": ("bigint", "AUTO_INCREMENT")}
COUNTED["mysql"] = COUNTED["mariadb"]


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


@pytest.fixture
def source(engine, request, tmp_path):
    with new_database(engine, request, tmp_path) as dsn:
        yield Database(name="source", dsn=dsn)


def test_values_of_every_type_come_back_from_the_files_alone(engine, source, request, tmp_path):
    with source.connect(Role.PLAIN) as store:
        columns = [f"c{number} {kind}" for number, (kind, _, _) in enumerate(NATIVE[engine])]
        generated = "double_id bigint GENERATED ALWAYS AS (id * 2) STORED"
        store.run([f"CREATE TABLE thing (id bigint NOT NULL PRIMARY KEY, {', '.join(columns)}, {generated})"])
        names = ", ".join(["id", *(column.split()[0] for column in columns)])
        for key, place in ((2, 1), (1, 2)):
            store.run([f"INSERT INTO thing ({names}) VALUES ({key}, {', '.join(c[place] for c in NATIVE[engine])})"])
        store.run(["INSERT INTO thing (id) VALUES (3)"])
    with source.connect() as store, new_database(engine, request, tmp_path) as empty:
        table = store.describe("thing")
        archive = write_archive(store, table, tmp_path / "archive")
        assert archive.rows == 3
        load(engine, empty, tmp_path / "archive", "thing")
        with Database(name="target", dsn=empty).connect() as given_back:
            assert sha256(given_back.csv(table)) == archive.data_sha256
            assert given_back.checksum(table, EVERYTHING) == store.checksum(table, EVERYTHING)


def load(engine, dsn, directory, table):
    """As somebody would who has nothing of ours: by the server's own LOAD DATA, or with a few lines of Python."""
    making, filled = (directory / f"{table}.sql").read_text().split("-- once the rows are in:\n")
    if engine != "sqlite":
        making = making.replace("-- LOAD DATA LOCAL INFILE '", f"LOAD DATA LOCAL INFILE '{directory}/")
        with Client(dsn, local_infile=True) as client:
            for statement in (*making.split(";\n"), *filled.split(";\n")):
                if statement:
                    client.query(statement)
        return
    with closing(sqlite3.connect(dsn.removeprefix("sqlite://"))) as connection:
        connection.executescript(making)
        there = connection.execute(f"SELECT name FROM pragma_table_xinfo('{table}') WHERE NOT hidden").fetchall()
        for line in (directory / f"{table}.csv").read_text(encoding="utf-8").split("\n")[1:-1]:
            literals = re.sub(r'"((?:[^"]|"")*)"', _as_literal, line)
            connection.execute(f"INSERT INTO {table} ({', '.join(name for (name,) in there)}) VALUES ({literals})")
        connection.executescript(filled)
        connection.commit()


def _as_literal(found):
    return "'" + found[1].replace('""', '"').replace("'", "''") + "'"


@pytest.mark.parametrize("engine", ["mariadb"])
def test_a_value_that_is_too_long_for_the_servers_packets_is_refused_and_not_taken_for_none(source, tmp_path):
    with source.connect() as store:
        store.run(["CREATE TABLE long_one (id int PRIMARY KEY, body longtext)"])
        store.run(["INSERT INTO long_one VALUES (1, REPEAT('x', 2000000))"])
        before = store.scalar("SELECT @@GLOBAL.max_allowed_packet")
        store.run(["SET GLOBAL max_allowed_packet = 1048576"])
        try:
            with source.connect() as other, pytest.raises(SplitError, match="longer than the server's max_allowed_pa"):
                write_archive(other, other.describe("long_one"), tmp_path)
        finally:
            store.run([f"SET GLOBAL max_allowed_packet = {before}"])
    assert not (tmp_path / "long_one.sha256").exists()


@dataclass(kw_only=True)
class Shop:
    """A shop whose reviews have moved for good."""

    source: Database
    target: Database
    move: Move
    directory: Path

    def end(self, store):
        names = self.move.spec.moved
        return Retirement(
            store=store,
            applier=lambda: self.source.connect(Role.APPLIER),
            move=self.move.spec.name,
            names=names,
        )

    def archive(self):
        with self.source.connect() as store:
            return [self.end(store).archive(name, self.directory) for name in self.move.spec.moved]

    def drop(self, after=NOW):
        with self.source.connect() as store:
            return self.end(store).drop(self.directory, after)

    def standing(self):
        with self.source.connect() as store:
            return [name for name in self.move.spec.moved if store.exists(name)]


@pytest.fixture
def shop(engine, source, request, tmp_path):
    with new_database(engine, request, tmp_path) as dsn:
        target = Database(name="target", dsn=dsn)
        number, counted = COUNTED[engine]
        for database in (source, target):
            with database.connect() as store:
                store.run(statement.format(number=number, counted=counted) for statement in SHOP)
        with source.connect(Role.PLAIN) as store:
            store.run(["INSERT INTO review (title, body) VALUES ('a, \"b\"', 'x'), ('it''s', NULL), ('NULL', '')"])
            store.run(["INSERT INTO vote SELECT id, id FROM review", "DELETE FROM vote WHERE id = 3"])
        move = Move(MoveSpec(name="0001_reviews", moved=("review", "vote")), source.dsn, dsn)
        move.create()
        move.copy(lambda at: None)
        move.catch_up()
        assert move.verify().equal
        move.switch(Side.TARGET, RecordedTraffic())
        move.complete(RecordedTraffic())
        with source.connect() as store:
            store.note_tombstones(move.spec.name, move.spec.moved)
        yield Shop(source=source, target=target, move=move, directory=tmp_path / "archive")


def test_a_shape_comes_back_with_its_counter_its_indexes_and_its_keys(engine, shop, request, tmp_path):
    shop.archive()
    with new_database(engine, request, tmp_path) as empty:
        for table in ("review", "vote"):
            load(engine, empty, shop.directory, table)
        with Database(name="target", dsn=empty).connect(Role.PLAIN) as given_back:
            given_back.run(["INSERT INTO review (title) VALUES ('new')"])
            assert given_back.query("SELECT id, title FROM review ORDER BY id") == [
                (1, 'a, "b"'),
                (2, "it's"),
                (3, "NULL"),
                (4, "new"),
            ]
            for wrong in (
                "INSERT INTO review (title) VALUES ('NULL')",
                "INSERT INTO vote VALUES (9, 99)",
            ):
                with pytest.raises(SplitError):
                    given_back.run([wrong])
            with shop.source.connect() as store:
                tables = [store.describe(name) for name in ("review", "vote")]
                theirs = [rule for rule in store.rules(tables) if "strangler" not in str(rule)]
                assert list(given_back.rules(tables)) == theirs


def test_torn_files_are_written_anew_and_whole_ones_kept(shop):
    shop.archive()
    torn = shop.directory / "vote.csv"
    torn.write_bytes(torn.read_bytes()[:-2])
    before = {path.name: path.stat().st_mtime_ns for path in shop.directory.glob("*.csv")}
    assert [archive.rows for archive in shop.archive()] == [3, 2]
    after = {path.name: path.stat().st_mtime_ns for path in shop.directory.glob("*.csv")}
    assert [name for name in before if before[name] != after[name]] == ["vote.csv"]


def test_a_file_that_does_not_give_the_rows_back_is_no_archive(shop, monkeypatch):
    """The read-back must not trust what was written."""
    with shop.source.connect() as store:
        table, whole = store.describe("review"), store.given_back

        def fewer(table, making, filled, data):
            lines = b"".join(data).splitlines(keepends=True)
            return whole(table, making, filled, lines[:-1])

        monkeypatch.setattr(store, "given_back", fewer)
        with pytest.raises(SplitError, match="does not give back the rows"):
            write_archive(store, table, shop.directory)
    assert not (shop.directory / "review.sha256").exists()


def test_tables_are_dropped_once_and_the_move_goes_on_to_exist(shop):
    shop.archive()
    with shop.source.connect() as store:
        store.execute("INSERT INTO strangler.changes (move, name, key) VALUES ('0001_reviews', 'vote', '[1]')")
    assert [archive.rows for archive in shop.drop()] == [3, 2]
    assert shop.standing() == []
    assert shop.drop() == ()
    with shop.source.connect() as store, shop.target.connect(Role.PLAIN) as service:
        assert store.query("SELECT count(*) FROM strangler.changes") == [(0,)]
        assert len(store.query("SELECT relation FROM strangler.claims")) == 2
        assert shop.move.picture().done
        service.run(["INSERT INTO review (title) VALUES ('the service writes')"])
        with pytest.raises(Refused, match="its archive is all that is left"):
            shop.end(store).forget_archive("vote", shop.directory)


def test_a_run_that_died_between_the_drop_and_its_note_is_finished(shop):
    shop.archive()
    with shop.source.connect() as store:
        tables = [store.describe(name) for name in shop.move.spec.moved]
        with store.dropping(shop.move.spec.name, tables):
            pass
    assert len(shop.drop()) == 2
    with shop.source.connect() as store:
        assert store.scalar("SELECT count(*) FROM strangler.retirements WHERE dropped_at IS NOT NULL") == 2


def test_before_the_waiting_time_is_over_nothing_is_done(shop):
    week = timedelta(days=7)
    with shop.source.connect() as store:
        assert "waits until" in next(shop.end(store).archive_refusals(week))
    with pytest.raises(Refused, match='"review" is not on record as done by ArchiveTables'):
        shop.drop()
    shop.archive()
    with pytest.raises(Refused, match=r"waits until .* UTC, 7 days, 0:00:00 after ArchiveTables"):
        shop.drop(week)
    assert len(shop.standing()) == 2


def test_what_is_not_as_it_was_archived_stays(engine, shop):
    shop.archive()
    with shop.source.connect(Role.APPLIER) as applier:
        table = applier.describe("vote")
        with applier.transaction():
            applier.delete(table, (("2",),))
    with pytest.raises(Refused, match='"vote" is not what its archive holds any more'):
        shop.drop()
    (shop.directory / "review.sql").write_text("something else")
    with pytest.raises(Refused, match=r'review\.sql" has another checksum'):
        shop.drop()
    assert len(shop.standing()) == 2


@pytest.mark.parametrize(
    ("needs", "why"),
    [
        ("CREATE VIEW glad AS SELECT title FROM review", r"glad\"? (looks at|needs)"),
        (
            "CREATE TABLE answer (id bigint, review_id bigint, CONSTRAINT c FOREIGN KEY (review_id) "
            "REFERENCES review (id))",
            'still ties "answer" to "review"',
        ),
    ],
)
def test_tables_that_others_need_stay(shop, needs, why):
    shop.archive()
    with shop.source.connect() as store:
        store.run([needs])
    with pytest.raises(Refused, match=f"cannot be dropped: .*{why}"):
        shop.drop()
    assert len(shop.standing()) == 2


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_trigger_that_needs_a_table_keeps_it_on_sqlite(shop):
    shop.archive()
    with shop.source.connect() as store:
        store.run(["CREATE TABLE other (n int)"])
        store.run(["CREATE TRIGGER t AFTER UPDATE OF n ON other BEGIN SELECT count(*) FROM review; END"])
    with pytest.raises(Refused, match='"other" needs them'):
        shop.drop()
    assert len(shop.standing()) == 2


def test_tables_of_a_source_that_owns_are_never_dropped(shop):
    shop.archive()
    with shop.source.connect() as store:
        store.execute("UPDATE strangler.ownership SET owns = true")
    with pytest.raises(Refused, match="the source may own move"):
        shop.drop()
    assert len(shop.standing()) == 2


@pytest.mark.parametrize("engine", ["mariadb", "mysql"])
def test_a_writer_that_has_a_table_open_makes_the_drop_give_up(shop):
    shop.archive()
    with Client(shop.source.dsn) as reader:
        reader.begin()
        reader.query("SELECT count(*) FROM vote")
        with (
            shop.source.connect(lock_timeout=1) as store,
            pytest.raises(SplitError, match=r"(?i)lock wait timeout"),
        ):
            shop.end(store).drop(shop.directory, NOW)
    assert len(shop.standing()) == 2
    assert len(shop.drop()) == 2


def test_errors_of_the_driver_do_not_leave_tables_locked(engine, shop):
    """A connection that goes on after a refusal is not left under LOCK TABLES."""
    shop.archive()
    with shop.source.connect() as store:
        store.execute("UPDATE strangler.ownership SET owns = true")
        with pytest.raises(Refused):
            shop.end(store).drop(shop.directory, NOW)
        assert store.query("SELECT count(*) FROM strangler.retirements") == [(2,)]
        if engine != "sqlite":
            with Client(shop.source.dsn) as other, pytest.raises(pymysql.Error, match="owned elsewhere"):
                # Waits for no lock; nothing but the fence says no.
                other.query("SET SESSION lock_wait_timeout = 1")
                store.execute("UPDATE strangler.fences SET owns = false")
                other.query("DELETE FROM vote")
