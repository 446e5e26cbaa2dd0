"""Several plans at once, in processes of their own: disjoint ones run together, others are refused by the databases."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier

import psycopg
import pytest

from strangler.plans import Operation, Plan
from strangler.plans.errors import PlanError
from strangler.plans.executor import PlanExecutor
from strangler.plans.lock import plan_lock
from strangler.plans.moves import move_spec
from strangler.plans.operations import MoveTables, ReplicateTable
from strangler.plans.project import Project
from strangler.plans.recorder import PlanRecorder
from strangler.plans.schema import Field, Schema
from strangler.plans.touched import NOTHING, Touched, touched
from strangler.plans.world import World
from strangler.split import Move, MoveSpec
from strangler.split.errors import Refused
from strangler.split.store import Database
from tests.unit.strangler.plans.fake_world import FakeMigrations, FakeTraffic, model

MODELS = ("Product", "Review", "Order")
TABLES = "".join(f"CREATE TABLE shop_{name} (id bigint PRIMARY KEY, name text NOT NULL);" for name in MODELS)
ROWS = 40
SCHEMA = Schema(models=tuple(model(f"shop.{name}", Field(name="name", column="name")) for name in MODELS))
PATIENCE = 20


@dataclass(frozen=True)
class WaitFor(Operation):
    """Takes until a file is there, so that a test decides when two plans meet."""

    path: Path

    def describe(self):
        return "Wait"

    def state_forwards(self, plan, state):
        return state

    def effects(self, world, before, after):
        yield from ()

    undo_effects = effects

    def forwards(self, world, before, after):
        until(self.path.exists)

    def backwards(self, world, before, after):
        """Nothing to undo."""


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.01)


def plan(name, *operations):
    return type("Plan", (Plan,), {"service": "reviews", "operations": operations})(name, None)


class Shop:
    """Two databases and the plans of several checkouts, each of which knows its own plan only."""

    def __init__(self, source_dsn, target_dsn, directory):
        self.source_dsn, self.target_dsn, self.directory = source_dsn, target_dsn, directory
        self.go = directory / "go"
        with self.source() as source, self.target() as target:
            source.execute(TABLES)
            target.execute(TABLES)
            for name in MODELS:
                source.execute(f"INSERT INTO shop_{name} SELECT n, 'n' || n FROM generate_series(1, {ROWS}) n")

    def source(self):
        return psycopg.connect(self.source_dsn, autocommit=True)

    def target(self):
        return psycopg.connect(self.target_dsn, autocommit=True)

    def rows(self, name):
        with self.target() as target:
            return target.execute(f"SELECT count(*) FROM shop_{name}").fetchone()[0]

    def lock(self, name, tables=NOTHING):
        return plan_lock(Database(name="source", dsn=self.source_dsn), name, tables)

    def recorder(self, plan):
        return PlanRecorder(self.directory / plan.name / "record.jsonl", plan.name)

    def events(self, plan):
        return [entry.event for entry in self.recorder(plan).entries()]

    def executor(self, plan):
        project = Project((plan,), SCHEMA)
        return PlanExecutor(
            project=project,
            recorder=self.recorder,
            world=lambda plan, emit: World(
                plan=plan.key,
                root=self.directory,
                migrations=FakeMigrations([]),
                move=lambda state: Move(move_spec(plan.key, state), self.source_dsn, self.target_dsn),
                traffic=FakeTraffic([]),
                publish_routes=lambda: None,
                gate=lambda: None,
                emit=emit,
            ),
            lock=lambda name: self.lock(name, touched(name, project.states(name)[-1])),
        )

    def start(self, plan):
        """Run the plan in a process of its own, which leaves what it was told in a file."""
        said = self.directory / f"said-{len(list(self.directory.glob('said-*')))}"
        said.touch()
        child = os.fork()
        if child == 0:
            try:
                self.executor(plan).run(plan)
                os._exit(0)
            except BaseException as error:
                said.write_text(str(error))
                os._exit(1)
        return Run(child, said)


@dataclass
class Run:
    child: int
    said: Path
    over: bool = False

    def end(self):
        """Wait for it; what it was refused with, or nothing."""
        os.waitpid(self.child, 0)
        self.over = True
        return self.said.read_text()

    def kill(self):
        if not self.over:
            os.kill(self.child, signal.SIGKILL)
            self.end()


@contextmanager
def running(*runs):
    try:
        yield runs
    finally:
        for run in runs:
            run.kill()


@pytest.fixture
def shop(source_dsn, target_dsn, tmp_path):
    return Shop(source_dsn, target_dsn, tmp_path)


def test_of_several_runs_of_one_plan_the_database_lets_one_through(shop):
    reviews = plan("0001_reviews", WaitFor(shop.go), MoveTables(["shop.Review"]))
    with running(*(shop.start(reviews) for _ in range(4))) as runs:
        until(lambda: sum(bool(run.said.read_text()) for run in runs) == 3)
        (winner,) = [run for run in runs if not run.said.read_text()]
        shop.go.touch()
        assert winner.end() == ""
        refused = [run.end() for run in runs if run is not winner]
    for said in refused:
        assert said.startswith(
            'plan "0001_reviews" is already running elsewhere (django-strangler 0001_reviews, process'
        )
    assert shop.events(reviews).count("started") == 2
    assert shop.rows("Review") == ROWS


def test_plans_of_disjoint_tables_run_at_once(shop):
    copy = ReplicateTable("shop.Product", columns=["id", "name"])
    reviews = plan("0001_reviews", WaitFor(shop.go), copy, MoveTables(["shop.Review"]))
    orders = plan("0002_orders", WaitFor(shop.go), MoveTables(["shop.Order"]))
    with running(shop.start(reviews), shop.start(orders)) as runs:
        until(lambda: shop.events(reviews) == shop.events(orders) == ["started"])
        shop.go.touch()
        assert [run.end() for run in runs] == ["", ""]
    assert [shop.rows(name) for name in MODELS] == [ROWS] * 3


def test_two_plans_of_one_table_are_refused_while_one_runs_and_afterwards(shop):
    reviews = plan("0001_reviews", WaitFor(shop.go), MoveTables(["shop.Review"]))
    again = plan("0001_ratings", MoveTables(["shop.Review", "shop.Order"]))
    with running(shop.start(reviews)) as (first,):
        until(lambda: shop.events(reviews) == ["started"])
        said = shop.start(again).end()
        assert said.startswith(
            'table "shop_review" of plan "0001_ratings" is in the hands of another plan (django-strangl'
        )
        assert "0001_reviews" in said
        assert shop.events(again) == []
        shop.go.touch()
        assert first.end() == ""
    # The locks are gone with the run; the claims in both databases are not.
    said = shop.start(again).end()
    assert "shop_review" in said
    assert shop.rows("Order") == 0
    with shop.source() as source:
        claims = source.execute("SELECT relation, move FROM strangler.claims").fetchall()
    assert claims == [("public.shop_review", "0001_reviews")]


def test_a_table_that_is_only_copied_may_be_so_by_several_plans_but_not_while_one_changes_it(shop):
    copies, changes = Touched(read=frozenset({"product"})), Touched(changed=frozenset({"product"}))
    refused = 'table "product" of plan ".*" is in the hands of another plan'
    with shop.lock("0001_a", copies), shop.lock("0002_b", copies), pytest.raises(PlanError, match=refused):
        shop.lock("0003_c", changes).__enter__()
    with shop.lock("0003_c", changes), pytest.raises(PlanError, match=refused):
        shop.lock("0001_a", copies).__enter__()
    # What was refused in the middle holds nothing.
    with shop.lock("0001_a", changes):
        pass


def test_a_run_whose_lock_is_lost_stops_before_its_next_event(shop):
    reviews = plan("0001_reviews", WaitFor(shop.go), MoveTables(["shop.Review"]))
    with running(shop.start(reviews)) as (first,):
        until(lambda: shop.events(reviews) == ["started"])
        with shop.source() as source:
            ended = source.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'django-strangler 0001_reviews' AND datname = current_database()"
            ).fetchall()
        assert ended == [(True,)]
        with shop.lock("0001_reviews"):  # somebody else takes over
            shop.go.touch()
            said = first.end()
    assert said.startswith('the lock of plan "0001_reviews" is lost: its connection to the database broke')
    assert shop.events(reviews) == ["started"]
    assert shop.start(reviews).end() == ""
    assert shop.rows("Review") == ROWS


def test_the_lock_of_a_killed_run_is_soon_free(shop):
    reviews = plan("0001_reviews", WaitFor(shop.go), MoveTables(["shop.Review"]))
    first = shop.start(reviews)
    until(lambda: shop.events(reviews) == ["started"])
    first.kill()
    shop.go.touch()

    def free():
        try:
            with shop.lock("0001_reviews"):
                return True
        except PlanError:
            return False

    until(free)
    assert shop.start(reviews).end() == ""


def test_names_that_postgresql_hashes_alike_do_not_meet(shop):
    with shop.source() as source:
        one, other = source.execute(
            """SELECT min(name), max(name) FROM (SELECT '0001_p' || n AS name FROM generate_series(1, 300000) n) names
               GROUP BY hashtext(name) HAVING count(*) > 1 LIMIT 1"""
        ).fetchone()
    with shop.lock(one), shop.lock(other):
        pass


def test_a_lock_outlives_the_time_after_which_the_server_ends_idle_sessions(shop):
    with shop.source() as source:
        database = source.info.dbname
        source.execute(f"ALTER DATABASE {database} SET idle_session_timeout = '100ms'")
    with shop.lock("0001_reviews") as still_held:
        time.sleep(0.4)
        still_held()


def create_at_once(shop, *specs):
    """Set the moves up at the same moment, without any plan's lock; what each was refused with, or nothing."""
    start = Barrier(len(specs))

    def create(spec):
        start.wait()
        try:
            Move(spec, shop.source_dsn, shop.target_dsn).create()
        except Refused as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(len(specs)) as threads:
        return list(threads.map(create, specs))


def test_moves_of_disjoint_tables_may_be_set_up_at_the_same_moment(shop):
    specs = [MoveSpec(name=name, moved=(f"shop_{name.lower()}",)) for name in MODELS]
    for _ in range(5):
        assert create_at_once(shop, *specs) == [""] * 3
        for spec in specs:
            Move(spec, shop.source_dsn, shop.target_dsn).cancel()


def test_of_moves_of_one_table_set_up_at_the_same_moment_the_databases_take_one(shop):
    names = ("0001_a", "0002_b", "0003_c")
    said = create_at_once(shop, *(MoveSpec(name=name, moved=("shop_review",)) for name in names))
    (winner,) = [name for name, sentence in zip(names, said, strict=True) if not sentence]
    refused = [sentence for sentence in said if sentence]
    assert len(refused) == 2
    assert all(f'is on its way in move "{winner}" already' in sentence for sentence in refused)
    for connect in (shop.source, shop.target):
        with connect() as connection:
            assert connection.execute("SELECT move FROM strangler.claims").fetchall() == [(winner,)]
