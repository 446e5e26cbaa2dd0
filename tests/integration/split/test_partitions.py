"""Partitioned tables: each partition can be written by its own name, and comes and goes during a move."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import psycopg
import pytest

from strangler.split import Capture, Move, MoveSpec, Refused, Side, SplitError, SwitchAborted
from strangler.split.cutover import Step
from strangler.split.retirement import Retirement
from strangler.split.store import Database, Role

SOURCE = """
    CREATE TABLE visit (id bigint NOT NULL, tenant text NOT NULL, day date NOT NULL, note text,
                        PRIMARY KEY (id, tenant, day)) PARTITION BY LIST (tenant);
    CREATE TABLE visit_a PARTITION OF visit FOR VALUES IN ('a') PARTITION BY RANGE (day);
    CREATE TABLE visit_a_25 PARTITION OF visit_a FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE visit_a_26 PARTITION OF visit_a FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    -- Its columns stand in another order than the table's.
    CREATE TABLE visit_b (note text, day date NOT NULL, tenant text NOT NULL, id bigint NOT NULL);
    ALTER TABLE visit ATTACH PARTITION visit_b FOR VALUES IN ('b');
    CREATE TABLE remark (id bigint PRIMARY KEY, body text);
    INSERT INTO visit SELECT n, CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END, date '2025-01-01' + n, 'note ' || n
    FROM generate_series(1, 600) n;
"""
# Otherwise partitioned, and one that is partitioned here only.
TARGET = """
    CREATE TABLE visit (id bigint NOT NULL, tenant text NOT NULL, day date NOT NULL, note text,
                        PRIMARY KEY (id, tenant, day)) PARTITION BY HASH (id);
    CREATE TABLE visit_0 PARTITION OF visit FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE visit_1 PARTITION OF visit FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE remark (id bigint PRIMARY KEY, body text) PARTITION BY RANGE (id);
    CREATE TABLE remark_all PARTITION OF remark DEFAULT;
"""
MONTH = "CREATE TABLE public.visit_a_27 PARTITION OF visit_a FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')"
ADOPT = "SELECT strangler.adopt_partitions('0001_visits')"
IN_27 = "INSERT INTO visit VALUES (9000, 'a', '2027-03-03', 'late')"


@dataclass
class Visits:
    source: psycopg.Connection[tuple[object, ...]]
    target: psycopg.Connection[tuple[object, ...]]
    move: Move

    def of(self, side):
        return self.source if side is Side.SOURCE else self.target

    def count(self, side, where="true"):
        return self.of(side).execute(f"SELECT count(*) FROM visit WHERE {where}").fetchone()[0]


BOTH = pytest.mark.parametrize("visits", list(Capture), indirect=True)


@pytest.fixture
def visits(source_dsn, target_dsn, request):
    capture = getattr(request, "param", Capture.TRIGGERS)
    with psycopg.connect(source_dsn, autocommit=True) as source, psycopg.connect(target_dsn, autocommit=True) as target:
        source.execute(SOURCE)
        target.execute(TARGET)
        move = Move(MoveSpec(name="0001_visits", moved=("visit", "remark"), capture=capture), source_dsn, target_dsn)
        yield Visits(source=source, target=target, move=move)


@pytest.fixture
def moving(visits):
    """Copied and compared."""
    visits.move.create()
    visits.move.copy(lambda progress: None)
    assert visits.move.verify().equal
    return visits


def refused(connection, statement):
    with pytest.raises(psycopg.DatabaseError) as error:
        connection.execute(statement)
    assert error.value.sqlstate == "SF001", error.value


@BOTH
def test_rows_of_all_levels_follow_there_and_back(moving, traffic):
    assert moving.count(Side.TARGET) == 600
    for statement in (
        "INSERT INTO visit_a_26 VALUES (7000, 'a', '2026-05-05', 'by its leaf')",
        "INSERT INTO visit_a VALUES (7001, 'a', '2025-05-05', 'by its branch')",
        "UPDATE visit_b SET note = 'changed' WHERE id = 1",
        "UPDATE visit SET day = '2026-07-07' WHERE id = 2",  # to another leaf
        "DELETE FROM visit_b WHERE id = 3",
    ):
        moving.source.execute(statement)
    assert moving.move.switch(Side.TARGET, traffic).owner is Side.TARGET
    assert moving.target.execute(
        "SELECT id, note FROM visit WHERE id IN (1, 3) OR id > 6999 ORDER BY id"
    ).fetchall() == [
        (1, "changed"),
        (7000, "by its leaf"),
        (7001, "by its branch"),
    ]
    moving.target.execute("DELETE FROM visit_0")
    moving.target.execute("INSERT INTO remark_all VALUES (1, 'back')")
    assert moving.move.switch(Side.SOURCE, traffic).owner is Side.SOURCE
    assert moving.move.verify().equal
    assert moving.source.execute("SELECT body FROM remark").fetchall() == [("back",)]


@BOTH
def test_a_partition_that_is_truncated_is_followed(moving):
    moving.source.execute("TRUNCATE visit_a_25")
    moving.move.catch_up()
    assert moving.count(Side.TARGET, "tenant = 'a' AND day < '2026-01-01'") == 0
    assert moving.move.verify().equal


def test_no_partition_takes_writers_while_its_database_does_not_own(moving, traffic):
    refused(moving.target, "INSERT INTO visit_0 VALUES (9001, 'a', '2026-01-01')")
    moving.move.switch(Side.TARGET, traffic)
    for table in ("visit", "visit_a", "visit_a_25", "visit_b"):
        refused(moving.source, f"DELETE FROM {table}")
        refused(moving.source, f"TRUNCATE {table}")
    moving.target.execute("UPDATE visit_0 SET note = 'taken'")
    moving.move.switch(Side.SOURCE, traffic)
    moving.source.execute("UPDATE visit_b SET note = 'taken again'")
    refused(moving.target, "TRUNCATE remark_all")


@BOTH
def test_a_new_partition_refuses_the_switch_until_it_is_adopted_and_compared(moving, traffic):
    moving.source.execute(MONTH)
    moving.source.execute(IN_27)
    with pytest.raises(Refused, match=r'"visit_a_27" has become a partition of "visit".*run SELECT strangler.adopt_p'):
        moving.move.switch(Side.TARGET, traffic)
    moving.source.execute(ADOPT)
    with pytest.raises(Refused, match="never compared"):
        moving.move.switch(Side.TARGET, traffic)
    assert moving.move.verify().equal
    moving.move.switch(Side.TARGET, traffic)
    assert moving.count(Side.TARGET, "id = 9000") == 1
    refused(moving.source, "DELETE FROM visit_a_27")


def test_the_rows_of_an_attached_table_are_missed_by_the_comparison(moving, traffic):
    """They were written before anybody captured them."""
    moving.source.execute("CREATE TABLE public.visit_c (LIKE visit INCLUDING ALL)")
    moving.source.execute("INSERT INTO visit_c VALUES (1, 'c', '2026-01-01', 'unseen')")
    moving.source.execute("ALTER TABLE visit ATTACH PARTITION public.visit_c FOR VALUES IN ('c')")
    moving.source.execute(ADOPT)
    assert [difference.what for difference in moving.move.verify().differences] == ["missing at the target"]
    with pytest.raises(Refused, match="found 1 rows that differ"):
        moving.move.switch(Side.TARGET, traffic)


def test_a_detached_partition_refuses_the_switch(moving, traffic):
    moving.source.execute("ALTER TABLE visit DETACH PARTITION visit_b")
    with pytest.raises(Refused, match='"visit_b" was a partition of a table of the move') as error:
        moving.move.switch(Side.TARGET, traffic)
    assert "were altered since the last verification" in str(error.value)
    moving.source.execute(ADOPT)
    assert not moving.move.verify().equal
    triggers = moving.source.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = 'visit_b'::regclass")
    assert triggers.fetchall() == []


def test_what_happens_to_a_partition_while_it_is_detached_asks_for_a_comparison(moving, traffic):
    moving.source.execute("ALTER TABLE visit DETACH PARTITION visit_b")
    moving.source.execute("DELETE FROM visit_b WHERE id = 1")
    moving.source.execute("ALTER TABLE visit ATTACH PARTITION visit_b FOR VALUES IN ('b')")
    with pytest.raises(Refused, match="were altered since the last verification"):
        moving.move.switch(Side.TARGET, traffic)


def test_a_dropped_partition_asks_for_a_comparison(moving, traffic):
    moving.source.execute("DROP TABLE visit_b")
    with pytest.raises(Refused, match="were altered since the last verification"):
        moving.move.switch(Side.TARGET, traffic)


@pytest.mark.parametrize(
    ("step", "statement", "why"),
    [
        (Step.FENCE, MONTH, 'the partition "public.visit_a_27" of "public.visit" has no fence'),
        (Step.FENCE, "DROP TABLE visit_a_25", "were altered"),
    ],
)
def test_a_partition_that_comes_or_goes_behind_the_gates_makes_the_switch_go_back(
    moving, traffic, step, statement, why
):
    def alter(now, facts):
        if now is step:
            moving.source.execute(statement)

    with pytest.raises(SwitchAborted, match=why):
        moving.move.switch(Side.TARGET, traffic, on_step=alter)
    assert moving.move.picture().owner is Side.SOURCE
    moving.source.execute("UPDATE visit_b SET note = 'goes on'")


@pytest.mark.parametrize(
    ("side", "statement", "why"),
    [
        (Side.SOURCE, "ALTER TABLE visit_b DISABLE TRIGGER USER", 'the capture on "public.visit" does not run'),
        (Side.TARGET, "ALTER TABLE visit_0 DISABLE TRIGGER USER", 'the fence on "visit_0" is in state "D"'),
        (Side.SOURCE, "CREATE TABLE public.every (LIKE visit) PARTITION BY RANGE (id)", 'is a partition of "every"'),
    ],
)
def test_a_partitions_guard_that_was_taken_away_refuses_the_switch(moving, traffic, side, statement, why):
    moving.of(side).execute(statement)
    if "every" in why:
        moving.source.execute("ALTER TABLE every ATTACH PARTITION visit FOR VALUES FROM (0) TO (10000)")
    with pytest.raises(Refused, match=why):
        moving.move.switch(Side.TARGET, traffic)


def test_cancel_takes_the_guards_of_all_partitions_away(moving):
    moving.source.execute("ALTER TABLE visit DETACH PARTITION visit_b")
    moving.move.cancel()
    for side in Side:
        assert moving.of(side).execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'strangler%'").fetchall() == []
    moving.source.execute("ALTER TABLE visit ATTACH PARTITION visit_b FOR VALUES IN ('b')")
    moving.move.create()


@pytest.mark.parametrize(
    ("tables", "moved", "why"),
    [
        (
            "CREATE TABLE mother (id bigint PRIMARY KEY); CREATE TABLE child () INHERITS (mother)",
            "mother",
            '"child" .INH',
        ),
        (
            "CREATE TABLE mother (id bigint); CREATE TABLE child (PRIMARY KEY (id)) INHERITS (mother)",
            "child",
            'shares rows with "mother"',
        ),
        (
            "CREATE TABLE mother (id bigint PRIMARY KEY) PARTITION BY HASH (id); "
            "CREATE TABLE child PARTITION OF mother FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
            "child",
            'is a partition of "mother", through which it is written without its fence; move "mother"',
        ),
        (
            "CREATE TABLE mother (id bigint NOT NULL) PARTITION BY HASH (id); CREATE EXTENSION postgres_fdw; "
            "CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw; "
            "CREATE FOREIGN TABLE child PARTITION OF mother FOR VALUES WITH (MODULUS 1, REMAINDER 0) SERVER far; "
            "ALTER TABLE ONLY mother ADD PRIMARY KEY (id)",
            "mother",
            'the partition "child" of "public.mother" lies on another server; bring its rows here, or detach it',
        ),
    ],
)
def test_tables_that_share_their_rows_are_refused_before_anything_is_done(source_dsn, target_dsn, tables, moved, why):
    for dsn in (source_dsn, target_dsn):
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(tables)
    with pytest.raises(SplitError, match=why):
        Move(MoveSpec(name="0001_heirs", moved=(moved,)), source_dsn, target_dsn).create()
    with psycopg.connect(source_dsn) as connection:
        assert connection.execute("SELECT to_regclass('strangler.ownership')").fetchone() == (None,)


def test_a_partitioned_table_is_archived_and_dropped_whole(moving, source_dsn, traffic, tmp_path):
    moving.move.switch(Side.TARGET, traffic)
    moving.move.complete(traffic)
    database = Database(name="source", dsn=source_dsn)
    move, names = "0001_visits", ("visit", "remark")
    with database.connect() as store:
        store.note_tombstones(move, names)
        end = Retirement(store=store, applier=lambda: database.connect(Role.APPLIER), move=move, names=names)
        assert [end.archive(name, tmp_path).rows for name in names] == [600, 0]
        assert len(end.drop(tmp_path, timedelta(0))) == 2
    tables = moving.source.execute("SELECT relname FROM pg_class WHERE relname LIKE 'visit%'")
    functions = moving.source.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'strangler_capture%'")
    assert tables.fetchall() == functions.fetchall() == []
