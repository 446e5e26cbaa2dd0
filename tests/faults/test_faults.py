"""A few seeds of the fault suite in every run; "make faults SEEDS=1000" runs many, "make faults SEED=7" one of them."""

import os
from collections.abc import Iterator

import pytest

from strangler.split import Side
from tests.faults.__main__ import cheap_user
from tests.faults.schedule import draw
from tests.faults.simulation import Simulation

SEEDS = range(1, 1 + int(os.environ.get("FAULT_SEEDS", "30")))


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    names = f"faults_{os.environ.get('PYTEST_XDIST_WORKER', 'gw')}"
    running = Simulation(
        dsns={side: cheap_user(os.environ[f"STRANGLER_TEST_{side.name}"], names) for side in Side},
    )
    yield running
    running.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_doubled_or_brought_back_whatever_dies_sleeps_or_is_late(simulation: Simulation, seed: int):
    outcome = simulation.run(draw(seed))
    assert not outcome.findings.wrong, str(outcome)


def test_a_seed_replays_its_schedule_and_its_steps_until_somebody_waits_for_a_lock(simulation: Simulation):
    """Whom PostgreSQL wakes first, of several who wait for one lock, is its own affair."""
    first, again = (simulation.run(draw(3)) for _ in range(2))
    assert str(first.schedule) == str(again.schedule)
    waits = next((n for n, line in enumerate(first.trace) if "waits for a lock" in line), None)
    assert first.trace[:waits] == again.trace[:waits]
    assert waits is None or waits > 50
