"""A world of two real databases for operations that speak SQL themselves."""

import os
from dataclasses import replace

import psycopg
import pytest

from strangler.plans.databases import Databases
from strangler.plans.state import PlanKey, ProjectState
from strangler.plans.world import World
from strangler.split import Side
from strangler.split.store import Database
from tests.conftest import a_database
from tests.integration.plans.operations.brokers import valkey
from tests.integration.plans.operations.retired import prepare, retire
from tests.unit.strangler.plans.fake_world import FakeMigrations, FakeMove, FakeTraffic, schema

KEY = PlanKey(name="0001_reviews", service="reviews")


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with valkey(tmp_path_factory.mktemp("broker")) as url:
        yield url


@pytest.fixture
def key():
    return KEY


@pytest.fixture
def state():
    return ProjectState(schema=schema())


@pytest.fixture
def events():
    return []


@pytest.fixture
def world(events, source_dsn, target_dsn, tmp_path):
    return a_world(events, source_dsn, target_dsn, tmp_path)


def a_world(events, source_dsn, target_dsn, root):
    return World(
        plan=KEY,
        root=root,
        migrations=FakeMigrations(events),
        move=lambda state: FakeMove(events),
        traffic=FakeTraffic(events),
        publish_routes=lambda: None,
        gate=lambda: None,
        emit=lambda event, /, **facts: events.append((event, facts)),
        databases=Databases(
            monolith=Database(name="source", dsn=source_dsn), service=Database(name="target", dsn=target_dsn)
        ),
    )


@pytest.fixture(scope="session")
def retired(tmp_path_factory):
    """The names of two databases to be copied, in which the reviews have moved for good."""
    with (
        a_database(os.environ["STRANGLER_TEST_SOURCE"]) as source_dsn,
        a_database(os.environ["STRANGLER_TEST_TARGET"]) as target_dsn,
    ):
        with psycopg.connect(source_dsn, autocommit=True) as source:  # noqa: SIM117
            with psycopg.connect(target_dsn, autocommit=True) as target:
                prepare(source, target)
        world = a_world([], source_dsn, target_dsn, tmp_path_factory.mktemp("retired"))
        retire(world, KEY, ProjectState(schema=schema()), source_dsn, target_dsn)
        yield {side: dsn.rsplit("/", 1)[1] for side, dsn in ((Side.SOURCE, source_dsn), (Side.TARGET, target_dsn))}


@pytest.fixture
def orchard_world(world, transactional_db):
    """The same, but the monolith's database is the one that Django knows."""
    from django.db import connection

    given = connection.get_connection_params()
    dsn = psycopg.conninfo.make_conninfo(
        "", **{name: given[name] for name in ("host", "port", "user", "password", "dbname")}
    )
    databases = replace(world.databases, monolith=Database(name="source", dsn=dsn), alias="default")
    yield replace(world, databases=databases)
    with psycopg.connect(dsn, autocommit=True) as orchard:
        orchard.execute("DROP SCHEMA IF EXISTS strangler CASCADE")


@pytest.fixture
def source(source_dsn):
    with psycopg.connect(source_dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def target(target_dsn):
    with psycopg.connect(target_dsn, autocommit=True) as connection:
        yield connection
