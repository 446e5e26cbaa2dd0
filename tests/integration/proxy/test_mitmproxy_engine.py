"""The toolkit's engine against the real proxy process, which runs in its own environment."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from strangler_proxy.routes import MoveRoutes, RouteTable, Upstream

from strangler.deploy.ports import free_port
from strangler.rollout.engines.base import EngineError
from strangler.rollout.engines.mitmproxy import MitmproxyEngine

ROOT = Path(__file__).parents[3]
MOVE = "0001_reviews"


def moved(term):
    return RouteTable(
        default="monolith",
        upstreams=(
            Upstream(name="monolith", url="http://127.0.0.1:8001"),
            Upstream(name="reviews", url="http://127.0.0.1:8002", identity=True),
        ),
        moves=(
            MoveRoutes(
                move=MOVE,
                term=term,
                n=0,
                owner="reviews",
                candidate="monolith",
                weight=0,
                routes=("/api/reviews/",),
            ),
        ),
    )


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    port = free_port()
    process = subprocess.Popen(
        [ROOT / ".venv-proxy/bin/python", "-m", "strangler_proxy"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "proxy"),
            "STRANGLER_PROXY_LISTEN": f"127.0.0.1:{port}",
            "STRANGLER_PROXY_TOKEN": "secret",
            "STRANGLER_PROXY_STATE": str(tmp_path_factory.mktemp("proxy") / "routes.json"),
        },
        stdout=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 20
    while True:
        try:
            MitmproxyEngine(url=address, token="secret").observe()
            break
        except EngineError:
            assert time.monotonic() < until
            time.sleep(0.05)
    yield address
    process.terminate()
    process.wait(10)


def test_what_was_applied_is_observed_and_an_older_table_is_refused(url):
    engine = MitmproxyEngine(url=url, token="secret")
    engine.apply(moved(3))
    with pytest.raises(EngineError, match="refused"):
        engine.apply(moved(2))
    assert engine.observe() == moved(3)


def test_a_hold_is_taken_and_released(url):
    engine = MitmproxyEngine(url=url, token="secret")
    engine.apply(moved(3))
    engine.hold(MOVE, 5)
    engine.release(MOVE)
    with pytest.raises(EngineError, match="at most 60 seconds"):
        engine.hold(MOVE, 3600)


def test_answers_are_forgotten_by_route_or_tag(url):
    engine = MitmproxyEngine(url=url, token="secret")
    assert (engine.purge(route="/api/"), engine.purge(tag="p1")) == (0, 0)
    with pytest.raises(EngineError, match="must begin and end"):
        engine.purge(route="api")


def test_a_document_of_an_upstream_is_taken_in_and_no_other(url):
    engine = MitmproxyEngine(url=url, token="secret")
    engine.apply(moved(3))
    document = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {}}
    engine.describe("reviews", document)
    with pytest.raises(EngineError, match='"orders" is no upstream'):
        engine.describe("orders", document)


def test_a_wrong_token_and_a_proxy_that_is_away_are_told_apart(url):
    with pytest.raises(EngineError, match="token"):
        MitmproxyEngine(url=url, token="wrong").observe()
    with pytest.raises(EngineError, match="does not answer"):
        MitmproxyEngine(url=f"http://127.0.0.1:{free_port()}", token="secret").observe()
