"""Executors on MariaDB and SQLite, killed between two of the events that they record, and finished by the next run."""

from __future__ import annotations

import os
import signal
import time

import pytest

from strangler.plans import Plan
from strangler.plans.databases import Databases
from strangler.plans.errors import PlanError
from strangler.plans.executor import PlanExecutor
from strangler.plans.lock import plan_lock
from strangler.plans.moves import move_spec
from strangler.plans.operations import MoveRoutes, MoveTables, ReplicateTable, RunSQL
from strangler.plans.project import Project
from strangler.plans.recorder import PlanRecorder
from strangler.plans.standing import Position
from strangler.plans.world import World
from strangler.split import Move, Side
from strangler.split.errors import StatementFailed
from strangler.split.store import Database, Role
from tests.integration.plans.conftest import new_database
from tests.integration.plans.test_executor import SCHEMA, KillingRecorder
from tests.unit.strangler.plans.fake_world import FakeMigrations, FakeTraffic

TABLES = (
    "CREATE TABLE shop_product (id bigint NOT NULL PRIMARY KEY, name varchar(50) NOT NULL)",
    "CREATE TABLE shop_review (id bigint NOT NULL PRIMARY KEY, title varchar(50) NOT NULL)",
    "CREATE TABLE shop_vote (id bigint NOT NULL PRIMARY KEY, review_id bigint NOT NULL, "
    "FOREIGN KEY (review_id) REFERENCES shop_review (id))",
)
ROWS = 30
OPERATIONS = (
    RunSQL("INSERT INTO shop_product VALUES (0, 'by the plan')", "DELETE FROM shop_product WHERE id = 0"),
    ReplicateTable("shop.Product", columns=["id", "name"]),
    MoveTables(["shop.Review", "shop.Vote"]),
    MoveRoutes(["/api/reviews/"], canary=[5_000], hold=0, limits=None),
)
PLAN = type("Plan", (Plan,), {"service": "reviews", "operations": OPERATIONS})("0001_reviews", None)


class Shop:
    def __init__(self, databases, directory):
        self.databases, self.path = databases, directory / "record.jsonl"
        for side, database in databases.items():
            with database.connect() as store:
                store.run(TABLES)
                if side is Side.SOURCE:
                    for name in ("product", "review", "vote"):
                        values = ", ".join(f"({n}, {n})" for n in range(1, ROWS + 1))
                        store.run([f"INSERT INTO shop_{name} VALUES {values}"])

    def executor(self, boundary=None):
        source, target = self.databases.values()
        return PlanExecutor(
            project=Project((PLAN,), SCHEMA),
            recorder=lambda plan: (
                PlanRecorder(self.path, plan.name, who="ada")
                if boundary is None
                else KillingRecorder(self.path, plan.name, [boundary])
            ),
            world=lambda plan, emit: World(
                plan=plan.key,
                root=self.path.parent,
                migrations=FakeMigrations([]),
                move=lambda state: Move(move_spec(plan.key, state), source.dsn, target.dsn),
                traffic=FakeTraffic([]),
                publish_routes=lambda: None,
                gate=lambda: None,
                emit=emit,
                databases=Databases(monolith=source, service=target),
            ),
            lock=lambda name: plan_lock(source, name),
        )

    def run_and_be_killed(self, to, boundary):
        child = os.fork()
        if child == 0:
            try:
                self.executor(boundary).run(PLAN, to)
            except BaseException as error:
                os.write(2, f"{error!r}\n".encode())
            os._exit(1)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL, f"the run ended before boundary {boundary}"

    def resume(self, to):
        """Run to the end, as soon as the server has noticed that the dead executor is gone."""
        deadline = time.monotonic() + 20
        while True:
            try:
                return self.executor().run(PLAN, to)
            except PlanError as error:
                if "already running" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def owners(self):
        """The sides that take a write now."""
        found = []
        for side, database in self.databases.items():
            with database.connect(Role.PLAIN) as store:
                try:
                    store.run(
                        ["INSERT INTO shop_review VALUES (999, 'probe')", "DELETE FROM shop_review WHERE id = 999"]
                    )
                    found.append(side)
                except StatementFailed as error:
                    assert "is owned elsewhere" in str(error)
        return found

    def counts(self, side):
        with self.databases[side].connect() as store:
            return [store.scalar(f"SELECT count(*) FROM shop_{name}") for name in ("product", "review", "vote")]

    def runs(self):
        with self.databases[Side.SOURCE].connect() as store:
            return store.query("SELECT plan, run FROM strangler.runs")


@pytest.fixture(params=["mariadb", "sqlite"])
def shop(request, tmp_path):
    with new_database(request.param, request, tmp_path) as source, new_database(request.param, request, tmp_path) as to:
        databases = {Side.SOURCE: Database(name="source", dsn=source), Side.TARGET: Database(name="target", dsn=to)}
        yield Shop(databases, tmp_path)


def test_killed_a_plan_is_finished_by_the_next_run_in_both_directions(shop):
    shop.run_and_be_killed(4, 24)
    assert len(shop.owners()) <= 1
    shop.resume(4)
    assert (shop.owners(), shop.counts(Side.TARGET)) == ([Side.TARGET], [ROWS + 1, ROWS, ROWS])
    assert shop.runs() == [(PLAN.name, 1)]

    shop.run_and_be_killed(0, 13)
    shop.resume(0)
    assert (shop.counts(Side.SOURCE), shop.counts(Side.TARGET)) == ([ROWS] * 3, [0] * 3)
    assert shop.runs() == []
    assert PlanRecorder(shop.path, PLAN.name).position() == Position()
