"""Some seeds of the fault suite in every run; "make faults SEEDS=1000" runs many, "make faults SEED=7" one of them."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.faults.bench import Kind
from tests.faults.schedule import draw
from tests.faults.servers import Servers
from tests.faults.simulation import Simulation
from tests.faults.sweep import LIVES, Life, sweep

SEEDS = 140
AT_ONCE = 20
STEPS = {Kind.KILL: 53, Kind.CRASH: 131}


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    with ExitStack() as stack:
        running = Simulation(Servers(stack))
        stack.callback(running.close)
        yield running


@pytest.mark.parametrize("first", range(1, 1 + SEEDS, AT_ONCE))
def test_nothing_is_lost_doubled_or_brought_back_whatever_dies_sleeps_or_is_late(simulation: Simulation, first: int):
    for seed in range(first, first + AT_ONCE):
        outcome = simulation.run(draw(seed))
        assert not outcome.findings.wrong, f'{outcome}\n"make faults SEED={seed}" shows every step'


@pytest.mark.parametrize("life", LIVES, ids=lambda life: f"{life.who}: {life.what}")
def test_whoever_dies_at_any_boundary_or_whichever_server_another_goes_on(simulation: Simulation, life: Life):
    """Some of the boundaries; "make sweep" takes every one."""
    for kind in life.kinds:
        for outcome in sweep(simulation, life, kind, STEPS[kind]):
            assert not outcome.findings.wrong, str(outcome)


@pytest.mark.parametrize("seed", [5, 17, 35])
def test_a_seed_is_replayed_step_by_step(simulation: Simulation, seed: int):
    first = simulation.run(draw(seed))
    simulation.run(draw(6))
    again = simulation.run(draw(seed))
    assert str(first.schedule) == str(again.schedule)
    assert first.trace == again.trace
    # Those who wait for locks are among what is replayed.
    assert sum("waits for a lock" in line for line in first.trace) > 10
