"""The copy: what it sets aside, what wanders while it goes on, who dies in it, what it spares."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

import strangler
from strangler.split import Move, Side, SplitError
from strangler.split.copying import CopyProgress, Throttle, copy
from strangler.split.layout import read_layout
from strangler.split.postgres import PostgresStore
from strangler.split.store import Role
from tests.integration.split.conftest import SPEC

OURS = str(Path(strangler.__file__).parents[1])
"""The package that is tested, before any other one of its name."""
MORE = """
    CREATE INDEX by_author ON review (author varchar_pattern_ops DESC);
    CREATE INDEX lower_author ON review (lower(author)) WHERE score > 1;
    CREATE UNIQUE INDEX half ON review (body, id) WHERE score < 0;
    ALTER TABLE review ADD CONSTRAINT late UNIQUE (id, score) DEFERRABLE INITIALLY DEFERRED;
    ALTER TABLE review ADD CONSTRAINT kept UNIQUE (id, author);
    COMMENT ON CONSTRAINT kept ON review IS 'a definition would not bring this back';
"""
INDEXES = """
    SELECT pg_get_indexdef(i.indexrelid), pg_get_constraintdef(c.oid) FROM pg_index i
    LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u')
    WHERE i.indrelid IN ('review'::regclass, 'vote'::regclass, 'product'::regclass) ORDER BY 1
"""
NAMES = """
    SELECT indexname FROM pg_indexes WHERE tablename IN ('review', 'vote', 'product') ORDER BY indexname COLLATE "C"
"""
KILLED = """
import os, signal, sys
from strangler.split import Move, MoveSpec, Replica
from strangler.split.copying import copy
from strangler.split.layout import read_layout
from strangler.split.postgres import PostgresStore
from strangler.split.store import Role

source, target = sys.argv[1:]
class Dying(PostgresStore):
    def dump(self, table, selection):
        for number, piece in enumerate(super().dump(table, selection)):
            half = len(piece) // 2
            yield piece[:half]
            if table.name == "review":
                os.kill(os.getpid(), signal.SIGKILL)
            yield piece[half:]
spec = MoveSpec(
    name="0001_reviews", moved=("review", "vote"), replicated=(Replica(table="product", columns=("id", "name")),)
)
mine = Dying.connect("source", source, Role.ADMINISTRATOR, 5)
theirs = PostgresStore.connect("target", target, Role.APPLIER, 5)
copy(mine, theirs, spec.name, read_layout(spec, mine, theirs), lambda progress: None)
"""


def small_ranges(shop):
    shop.target.execute("UPDATE strangler.copies SET size = 100")


def test_indexes_are_away_while_rows_come_and_afterwards_as_they_were(shop):
    for side in Side:
        shop.connection(side).execute(MORE)
    before = shop.target.execute(INDEXES).fetchall()
    meanwhile, told = [], []
    shop.move.create()

    def look(progress):
        told.append(str(progress))
        if not progress.building:
            meanwhile.append([name for (name,) in shop.target.execute(NAMES)])

    shop.move.copy(look)
    assert all(names == ["kept", "product_pkey", "review_pkey", "vote_pkey"] for names in meanwhile)
    assert len(meanwhile) == 3
    assert "all tables: building public.half" in told
    assert shop.target.execute(INDEXES).fetchall() == before
    shop.move.catch_up()
    assert shop.move.verify().equal


def test_a_cancel_in_the_middle_of_the_copy_puts_the_indexes_back(shop):
    shop.target.execute(MORE)
    shop.source.execute(MORE)
    before = shop.target.execute(INDEXES).fetchall()
    shop.move.create()
    small_ranges(shop)
    with pytest.raises(SplitError, match="was cancelled while it was copied"):
        shop.move.copy(lambda progress: shop.move.cancel())
    assert shop.target.execute(INDEXES).fetchall() == before
    assert shop.count(Side.TARGET, "review") == 0
    shop.bring()


def test_a_switch_is_refused_until_the_indexes_are_there(shop, traffic):
    shop.move.create()

    class Died(Exception):
        pass

    def die(progress):
        if progress.building:
            raise Died

    with pytest.raises(Died):
        shop.move.copy(die)
    assert not shop.move.status().copied
    assert "the copy is not complete; run it to its end first" in shop.move.status().refusals
    assert shop.move.apply_once() == 0
    shop.bring()
    assert shop.move.switch(Side.TARGET, traffic).owner is Side.TARGET


@pytest.mark.parametrize("kept", [False, True], ids=["set aside", "kept"])
def test_a_unique_value_that_wanders_while_the_copy_goes_on_is_in_one_row_at_its_end(shop, kept):
    if kept:
        shop.target.execute("COMMENT ON CONSTRAINT review_product_id_author_key ON review IS 'stays'")
    shop.move.create()
    small_ranges(shop)
    wandered = []

    def wander(progress):
        if progress.table == "review" and not wandered:
            wandered.append(progress.rows)
            shop.source.execute("UPDATE review SET author = 'another' WHERE id = 5")
            shop.source.execute("UPDATE review SET author = 'author 5', product_id = 6 WHERE id = 900")

    shop.move.copy(wander)
    assert wandered == [100]
    shop.move.catch_up()
    assert shop.move.verify().equal


def test_a_worker_killed_in_the_middle_of_a_range_leaves_it_whole_to_the_next(shop, source_dsn, target_dsn):
    shop.move.create()
    died = subprocess.run(
        [sys.executable, "-P", "-c", KILLED, source_dsn, target_dsn],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([OURS, *filter(None, sys.path)])},
        capture_output=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    assert (shop.count(Side.TARGET, "product"), shop.count(Side.TARGET, "review")) == (100, 0)
    shop.bring()
    assert shop.count(Side.TARGET, "review") == 1_000


def test_a_range_is_copied_by_one_worker_at_a_time(shop, source_dsn, target_dsn):
    """What a second one brought would be of another moment: a row that was deleted since might come back."""
    shop.move.create()
    second, dumped = threading.Event(), []

    class First(PostgresStore):
        def dump(self, table, selection):
            dumped.append(table.name)
            if table.name == "review":
                second_worker.start()
                assert second.wait(timeout=10)
            yield from super().dump(table, selection)

    class Second(PostgresStore):
        """Has had its chance when it found no range, or began with one."""

        def query(self, statement, params=()):
            found = super().query(statement, params)
            if "strangler.ranges" in statement and "review" in params and not found:
                second.set()
            return found

        def dump(self, table, selection):
            dumped.append(table.name)
            second.set()
            yield from super().dump(table, selection)

    def work(kind):
        with (
            kind.connect("source", source_dsn, Role.ADMINISTRATOR, 5) as source,
            kind.connect("target", target_dsn, Role.APPLIER, 5) as target,
        ):
            copy(source, target, SPEC.name, read_layout(SPEC, source, target), lambda progress: None)

    second_worker = threading.Thread(target=work, args=(Second,))
    work(First)
    second_worker.join(timeout=20)
    assert sorted(dumped) == ["product", "review", "vote"]


def test_changes_wait_until_the_copy_is_complete(shop):
    """A row that is deleted while its range is copied would be deleted before it comes."""
    shop.move.create()
    shop.add_review(Side.SOURCE)
    assert shop.move.apply_once() == 0
    shop.move.copy(lambda progress: None)
    assert shop.move.apply_once() == 1
    assert shop.move.verify().equal


def test_all_workers_together_keep_to_the_rate(shop, source_dsn, target_dsn):
    """Only the last ranges of the two are not paid for when they end: 900 of 2,100 rows."""
    move = Move(SPEC, source_dsn, target_dsn, Throttle(rows_per_second=1_000))
    move.create()
    small_ranges(shop)
    began = time.monotonic()
    workers = [threading.Thread(target=move.copy, args=(lambda progress: None,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert time.monotonic() - began >= 1.1
    assert shop.count(Side.TARGET, "vote") == 1_000


def test_a_copy_waits_while_the_source_is_busy(shop, source_dsn, target_dsn):
    move = Move(SPEC, source_dsn, target_dsn, Throttle(running=0.5))
    move.create()
    with psycopg.connect(source_dsn, autocommit=True) as busy:
        sleeping = threading.Thread(target=busy.execute, args=("SELECT pg_sleep(1.5)",))
        sleeping.start()
        time.sleep(0.3)
        move.copy(lambda progress: None)
        assert not sleeping.is_alive()
        sleeping.join()


def test_a_copy_waits_for_the_sources_replicas(shop, source_dsn, target_dsn):
    shop.move.create()

    class Behind(PostgresStore):
        lags = [0.3, 0.2, 0.0]

        def replica_lag(self):
            return self.lags.pop(0) if self.lags else 0.0

    with (
        Behind.connect("source", source_dsn, Role.ADMINISTRATOR, 5) as source,
        PostgresStore.connect("target", target_dsn, Role.APPLIER, 5) as target,
    ):
        copy(
            source,
            target,
            SPEC.name,
            read_layout(SPEC, source, target),
            lambda progress: None,
            throttle=Throttle(replica_lag=0.1),
        )
    assert Behind.lags == []


def test_progress_tells_rate_and_time_left(shop):
    shop.source.execute("ANALYZE")
    shop.move.create()
    told = []
    done = shop.move.copy(told.append)
    rows = {progress.table: progress for progress in told if not progress.building}
    assert [progress.rows for progress in rows.values()] == [100, 1_000, 1_000]
    assert [progress.left for progress in rows.values()] == [2_000, 1_000, 0]
    assert all(progress.rate > 0 for progress in rows.values())
    assert (done.rows, done.done, done.eta) == (2_100, True, None)
    shown = CopyProgress(table="review", rows=1_000, total=4_000, done=False, rate=500.0, left=6_000)
    assert str(shown) == "review: 1,000 of about 4,000 rows copied, 500 a second, all in about 12 s"
