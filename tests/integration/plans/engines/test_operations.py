"""What single operations do on MariaDB and SQLite, and what they refuse there before the first effect."""

from __future__ import annotations

from dataclasses import replace

import pytest

from strangler.plans.databases import Databases
from strangler.plans.errors import PlanError
from strangler.plans.operations import (
    CopySequence,
    CutForeignKey,
    MoveTask,
    RunPython,
    RunSQL,
)
from strangler.plans.state import PlanKey, ProjectState
from strangler.plans.world import World
from strangler.split.errors import StatementFailed
from strangler.split.store import Database, Role
from tests.integration.plans.conftest import new_database
from tests.unit.strangler.plans.fake_world import FakeMigrations, FakeMove, FakeTraffic, schema

KEY = PlanKey(name="0001_reviews", service="reviews")
CUT = CutForeignKey("reviews.Review.product", keep="product_id", migration="0002_cut")
ADD = RunSQL("INSERT INTO note VALUES (1); INSERT INTO note VALUES (2)", "DELETE FROM note WHERE n IN (1, 2)")


@pytest.fixture
def state():
    return ProjectState(schema=schema(product_on_delete="strangler.deletion.cascade"))


@pytest.fixture(params=["mariadb", "sqlite"], scope="module")
def database(request, tmp_path_factory):
    with new_database(request.param, request, tmp_path_factory.mktemp("operations")) as dsn:
        database = Database(name="source", dsn=dsn)
        with database.connect() as store:
            store.run(
                [
                    "CREATE TABLE note (n bigint NOT NULL PRIMARY KEY)",
                    "CREATE TABLE catalog_category (id bigint NOT NULL PRIMARY KEY)",
                    "CREATE TABLE catalog_product (id bigint NOT NULL PRIMARY KEY, category_id bigint, "
                    "FOREIGN KEY (category_id) REFERENCES catalog_category (id))",
                ]
            )
        yield database


@pytest.fixture
def store(database):
    with database.connect() as store:
        yield store
        for table in ("note", "catalog_product", "catalog_category"):
            store.run([f"DELETE FROM {table}"])
        if store.has_tables("runs"):
            for table in ("runs", "cleanups", "task_routes"):
                store.execute(f"DELETE FROM strangler.{table}")


@pytest.fixture
def world(database, tmp_path):
    return World(
        plan=KEY,
        root=tmp_path,
        migrations=FakeMigrations([]),
        move=lambda state: FakeMove([]),
        traffic=FakeTraffic([]),
        publish_routes=lambda: None,
        gate=lambda: None,
        emit=lambda event, /, **facts: None,
        databases=Databases(monolith=database, service=database),
    )


def notes(store):
    return [n for (n,) in store.query("SELECT n FROM note ORDER BY n")]


def forwards(operation, world, state):
    after = operation.state_forwards(KEY, state)
    operation.forwards(world, state, after)
    return after


def test_sql_runs_once_however_often_it_is_asked_and_is_undone_once(world, state, store):
    for _ in range(3):
        after = forwards(ADD, world, state)
    assert notes(store) == [1, 2]
    for _ in range(2):
        ADD.backwards(world, state, after)
    assert (notes(store), store.query("SELECT plan FROM strangler.runs")) == ([], [])


def test_sql_that_fails_leaves_neither_work_nor_record(world, state, store):
    broken = RunSQL("INSERT INTO note VALUES (7); INSERT INTO nowhere VALUES (7)", RunSQL.NOTHING)
    with pytest.raises(PlanError, match=r"the monolith's database refused: .*nowhere"):
        forwards(broken, world, state)
    assert (notes(store), store.query("SELECT plan FROM strangler.runs")) == ([], [])


def test_a_function_that_commits_by_itself_is_found_out(world, state, store):
    def commits(connection):
        connection.cursor().execute("INSERT INTO note VALUES (1)")
        connection.cursor().execute("COMMIT")

    with pytest.raises(PlanError, match="ended the transaction itself"):
        forwards(RunPython(commits, RunPython.nothing), world, state)


def test_foreign_keys_are_enforced_for_sql_of_a_plan(world, state, store):
    orphan = RunSQL("INSERT INTO catalog_product VALUES (1, 99)", RunSQL.NOTHING, database="service")
    with pytest.raises(PlanError, match="the service's database refused: "):
        forwards(orphan, world, state)
    assert store.scalar("SELECT count(*) FROM catalog_product") == 0


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
@pytest.mark.parametrize(
    "text", ["CREATE TABLE other (n int)", "DELETE FROM note; -- then\nALTER TABLE note ADD m int"]
)
@pytest.mark.parametrize("as_reverse", [False, True])
def test_a_change_of_the_schema_is_refused_where_it_ends_the_transaction(world, state, store, text, as_reverse):
    store.run(["INSERT INTO note VALUES (9)"])
    run = RunSQL("INSERT INTO note VALUES (3)", text) if as_reverse else RunSQL(text, RunSQL.NOTHING)
    with pytest.raises(PlanError, match=r'may end the transaction at "(CREATE|ALTER) TABLE (other|note)'):
        forwards(run, world, state)
    assert (notes(store), store.query("SELECT plan FROM strangler.runs")) == ([9], [])


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_change_of_the_schema_goes_with_its_transaction_on_sqlite(world, state, store):
    broken = RunSQL("CREATE TABLE other (n int); INSERT INTO nowhere VALUES (1)", RunSQL.NOTHING)
    with pytest.raises(PlanError, match="nowhere"):
        forwards(broken, world, state)
    trigger = "CREATE TRIGGER t AFTER DELETE ON other BEGIN DELETE FROM note; DELETE FROM other; END;"
    whole = RunSQL(f"CREATE TABLE other (n int); {trigger}", "DROP TABLE other")
    after = forwards(whole, world, state)
    assert store.scalar("SELECT count(*) FROM sqlite_master WHERE name IN ('other', 't')") == 2
    whole.backwards(world, state, after)
    assert store.scalar("SELECT count(*) FROM sqlite_master WHERE name IN ('other', 't')") == 0


def test_deletions_are_noted_by_a_trigger_and_no_more_after_it_went(world, state, store):
    for _ in range(2):
        after = forwards(CUT, world, state)
    store.run([f"INSERT INTO catalog_product (id) VALUES ({n})" for n in range(1, 5)])
    store.run(["DELETE FROM catalog_product WHERE id = 1", "DELETE FROM catalog_product WHERE id IN (2, 3)"])
    owed = store.query("SELECT service, field, key_column, on_delete, key FROM strangler.cleanups ORDER BY id")
    assert owed == [("reviews", "reviews.Review.product", "product_id", "cascade", str(n)) for n in (1, 2, 3)]
    for _ in range(2):
        CUT.backwards(world, state, after)
    store.run(["DELETE FROM catalog_product WHERE id = 4"])
    assert store.scalar("SELECT count(*) FROM strangler.cleanups") == 3


def test_the_dry_run_of_a_cut_shows_its_triggers_both_ways_and_makes_nothing(world, state, store):
    after = CUT.state_forwards(KEY, state)
    assert any("CREATE TRIGGER" in line for line in CUT.effects(world, state, after))
    assert any(line.startswith("DROP TRIGGER") for line in CUT.undo_effects(world, state, after))
    store.run(["INSERT INTO catalog_product (id) VALUES (1)", "DELETE FROM catalog_product"])
    assert not store.has_tables("cleanups") or store.scalar("SELECT count(*) FROM strangler.cleanups") == 0


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_a_table_whose_deletions_are_noted_cannot_be_truncated(world, state, store, database):
    after = forwards(CUT, world, state)
    with database.connect(Role.PLAIN) as application:
        with pytest.raises(StatementFailed, match="foreign key"):
            application.run(["TRUNCATE catalog_product"])
        CUT.backwards(world, state, after)
        application.run(["TRUNCATE catalog_product"])


def test_deletions_that_a_foreign_key_of_the_database_makes_are_seen_or_refused(world, state, store, cascading):
    if store.engine == "mariadb":
        after = CUT.state_forwards(KEY, state)
        with pytest.raises(PlanError, match='"by_key" changes rows of "catalog_product" by ON DELETE CASCADE'):
            CUT.forwards(world, state, after)
        assert any("would be refused now" in line for line in CUT.effects(world, state, after))
        return
    after = forwards(CUT, world, state)
    store.run(["PRAGMA foreign_keys = ON", "INSERT INTO catalog_category VALUES (1)"])
    store.run(["INSERT INTO catalog_product VALUES (7, 1)", "DELETE FROM catalog_category"])
    assert store.query("SELECT key FROM strangler.cleanups") == [("7",)]
    CUT.backwards(world, state, after)


@pytest.fixture
def cascading(store):
    """The products with a key by which the database itself deletes them."""
    shape = "id bigint NOT NULL PRIMARY KEY, category_id bigint"
    key = "CONSTRAINT by_key FOREIGN KEY (category_id) REFERENCES catalog_category (id)"
    for rule in (" ON DELETE CASCADE", ""):
        store.run(["DROP TABLE catalog_product", f"CREATE TABLE catalog_product ({shape}, {key}{rule})"])
        if rule:
            yield


def test_sequences_are_not_copied_which_is_said(world, state, store):
    copy = CopySequence("invoice_number", margin=10)
    after = copy.state_forwards(KEY, state)
    refusal = f"on PostgreSQL only, and the (monolith|service)'s database is {store.engine}; "
    for run in (copy.forwards, copy.backwards, lambda *rest: list(copy.effects(*rest))):
        with pytest.raises(PlanError, match=refusal):
            run(world, state, after)


class Tasks:
    """A Celery application whose task is sent where the row says, and which holds no message."""

    def __init__(self, store):
        self.store = store

    def refusals(self, task, queue):
        yield from ()

    def queue_of(self, task):
        if not self.store.has_tables("task_routes"):
            return "old"
        return self.store.scalar("SELECT queue FROM strangler.task_routes WHERE task = %s", (task,)) or "old"

    def held(self, task, queue):
        return {}


def test_a_task_gets_its_row_and_loses_it(world, state, store, monkeypatch):
    monkeypatch.setattr("strangler.plans.operations.move_task._SETTLED", 0)
    move = MoveTask("shop.work", queue="service", app="shop.celery")
    world = replace(world, tasks=lambda path: Tasks(store))
    for _ in range(2):
        after = forwards(move, world, state)
    assert store.query("SELECT task, plan, queue, was FROM strangler.task_routes") == [
        ("shop.work", KEY.name, "service", "old")
    ]
    for _ in range(2):
        move.backwards(world, state, after)
    assert store.query("SELECT task FROM strangler.task_routes") == []
