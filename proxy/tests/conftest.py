"""Two upstreams and a proxy for each test that wants them."""

import pytest
from world import Proxy, Server


@pytest.fixture
def monolith():
    server = Server("monolith")
    yield server
    server.close()


@pytest.fixture
def reviews():
    server = Server("reviews")
    yield server
    server.close()


@pytest.fixture
def proxy(tmp_path, monolith):
    running = Proxy(state=tmp_path / "routes.json", monolith=monolith.url)
    running.start()
    yield running
    running.stop()
