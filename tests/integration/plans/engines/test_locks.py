"""Two executors that reach the same database meet there; a dead one leaves no lock behind."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager

import pytest

from strangler.plans.errors import PlanError
from strangler.plans.lock import plan_lock
from strangler.plans.touched import NOTHING, Touched
from strangler.split.store import Database
from tests.integration.plans.conftest import new_database

PLAN = "0001_reviews"
PATIENCE = 20


@pytest.fixture(params=["mariadb", "sqlite"], scope="module")
def source(request, tmp_path_factory):
    with new_database(request.param, request, tmp_path_factory.mktemp("locks")) as dsn:
        yield Database(name="source", dsn=dsn)


def changing(*tables):
    return Touched(changed=frozenset(tables))


def reading(*tables):
    return Touched(read=frozenset(tables))


@contextmanager
def held_by_another_process(source, plan=PLAN, tables=NOTHING):
    """Yields the process that holds the lock, and ends it in any case."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with plan_lock(source, plan, tables):
            os.write(writer, b"held")
            signal.pause()
    try:
        assert os.read(reader, 4) == b"held"
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def taken_in_time(source, plan=PLAN):
    """Servers notice a dead client at once, but not within the same moment."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with plan_lock(source, plan):
                return True
        except PlanError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)


def test_a_second_executor_is_refused_and_a_killed_ones_lock_is_gone(source):
    with held_by_another_process(source):
        with pytest.raises(PlanError, match=f'plan "{PLAN}" is already running elsewhere'):
            plan_lock(source, PLAN).__enter__()
        with plan_lock(source, "0002_orders"):
            pass
    assert taken_in_time(source)


def test_in_one_process_too_and_given_back_at_the_end(source):
    with plan_lock(source, PLAN), pytest.raises(PlanError, match="already running"):
        plan_lock(source, PLAN).__enter__()
    with plan_lock(source, PLAN):
        pass


def test_plans_of_disjoint_tables_run_at_once_and_others_are_refused(source):
    with held_by_another_process(source, tables=changing("review")):
        with plan_lock(source, "0002_orders", changing("order")):
            pass
        for tables in (changing("review", "order"), reading("review")):
            with pytest.raises(PlanError, match='table "review" of plan "0002_orders" is in the hands of another plan'):
                plan_lock(source, "0002_orders", tables).__enter__()


def test_a_table_is_copied_by_several_plans_and_changed_by_none_meanwhile(source):
    with held_by_another_process(source, tables=reading("product")):
        with plan_lock(source, "0002_orders", reading("product")):
            pass
        with pytest.raises(PlanError, match="in the hands of another plan"):
            plan_lock(source, "0002_orders", changing("product")).__enter__()
    assert taken_in_time(source)
    with plan_lock(source, "0002_orders", changing("product")):
        pass


def test_an_executor_whose_lock_is_lost_is_told_so(source):
    with plan_lock(source, PLAN) as still_held:
        still_held()
        take_away(source)
        with pytest.raises(
            PlanError, match=f'the lock of plan "{PLAN}" is lost: .*; somebody else may run the plan now'
        ):
            still_held()
        with plan_lock(source, PLAN):
            pass


def take_away(source):
    """What an operator might do by mistake: end the connection, or remove a file that looks forgotten."""
    with source.connect() as store:
        if store.engine == "sqlite":
            for path in store.path.parent.glob("*-strangler-*"):
                path.unlink()
        else:
            for (number,) in store.query("SELECT ID FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()"):
                store.run([f"KILL {number}"])
