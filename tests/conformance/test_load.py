"""A table that is applied again and again under load costs nobody a request, on any live engine."""

from dataclasses import replace

import pytest

from tests.conformance.engines import LIVE
from tests.conformance.load import APPLIED, Clients, apply_under_load

TIMES = 150
"""Here; "make engines" applies it a thousand times."""


@pytest.mark.parametrize("engine", LIVE)
def test_a_table_that_is_applied_again_and_again_under_load_loses_no_request(engine, stages):
    stage = stages(engine)
    clients = apply_under_load(stage, TIMES)
    assert clients.wrong == []
    assert clients.answered > TIMES / 10
    assert stage.engine.observe().moves == APPLIED.moves


@pytest.mark.parametrize("engine", LIVE)
def test_clients_notice_a_table_that_routes_elsewhere(engine, stages):
    stage = stages(engine)
    stage.begin(APPLIED)
    with Clients(stage) as clients:
        stage.apply(replace(APPLIED, moves=()))
        for _ in range(20):
            stage.engine.observe()
    assert clients.wrong
