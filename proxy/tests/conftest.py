"""Two upstreams and a proxy for each test that wants them."""

import json

import pytest
from common import Common
from world import Proxy, Said, Server, table


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


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One for all tests of a module."""
    server = Server("nobody")
    running = Proxy(state=tmp_path_factory.mktemp("proxy") / "routes.json", monolith=server.url)
    running.start()
    yield running
    running.stop()
    server.close()


@pytest.fixture
def shared(running, monolith, reviews):
    """It, with routes as after its start; the revision of its gateway goes on."""
    revision = json.loads(running.operate("GET", "/-/table")[1]).get("gateway", {}).get("revision", 0)
    first = {**table(monolith, reviews), "moves": [], "gateway": {"revision": revision + 1, "policies": []}}
    assert running.operate("PUT", "/-/table", first)[0] == 200
    running.forget_peak()
    return running


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    servers = Server("monolith"), Server("reviews")
    proxy = Proxy(state=tmp_path_factory.mktemp("proxy") / "routes.json", monolith=servers[0].url)
    proxy.start()
    yield Common(proxy, *servers)
    proxy.stop()
    for server in servers:
        server.close()


@pytest.fixture
def common(started):
    for server, name in ((started.monolith, b"monolith"), (started.reviews, b"reviews")):
        server.heard.clear()
        server.answer = lambda request, name=name: Said(body=name)
    return started
