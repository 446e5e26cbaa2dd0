"""A small monolith and a real interface's fakes for the tests of plans."""

import pytest

from strangler.plans.state import PlanKey, ProjectState
from strangler.plans.world import World
from tests.unit.strangler.plans.fake_world import FakeMigrations, FakeMove, FakeTraffic, schema


@pytest.fixture
def state():
    return ProjectState(schema=schema())


@pytest.fixture
def key():
    return PlanKey(name="0001_reviews", service="reviews")


@pytest.fixture
def events():
    return []


@pytest.fixture
def move(events):
    return FakeMove(events)


@pytest.fixture
def migrations(events):
    return FakeMigrations(events)


@pytest.fixture
def world(key, move, migrations, events, tmp_path):
    return World(
        plan=key,
        root=tmp_path,
        migrations=migrations,
        move=lambda state: move,
        traffic=FakeTraffic(events),
        publish_routes=lambda: events.append(("routes", move.weight)),
        gate=lambda: events.append(("asked",)),
        emit=lambda event, /, **facts: events.append((event, facts)),
    )
