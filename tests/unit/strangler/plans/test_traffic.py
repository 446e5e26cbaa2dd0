"""What a cutover asks of proxies that are there, and of some that are not."""

import threading
import time

import pytest

from strangler.plans.routes import Routes, route_table
from strangler.plans.state import ProjectState
from strangler.plans.traffic import MoveTraffic
from strangler.rollout.engines.base import EngineError
from strangler.rollout.fleet import Fleet
from strangler.split import Side
from tests.unit.strangler.plans.fake_world import schema

TABLE = route_table(ProjectState(schema=schema()), {}, {"monolith": "http://127.0.0.1:8001"})
OTHER = route_table(ProjectState(schema=schema()), {}, {"monolith": "http://127.0.0.1:8009"})


class Engine:
    """A proxy in memory."""

    def __init__(self, name, away=False):
        self.name, self.away, self.table, self.asked = name, away, OTHER, []

    def _ask(self, *what):
        if self.away:
            raise EngineError(f"the proxy {self.name} does not answer")
        self.asked.append(what)

    def apply(self, table):
        self._ask("apply")
        self.table = table

    def observe(self):
        self._ask("observe")
        return self.table

    def hold(self, move, seconds):
        self._ask("hold", move, seconds)

    def release(self, move):
        self._ask("release", move)


@pytest.fixture
def engines():
    return [Engine("one"), Engine("two", away=True)]


@pytest.fixture
def routes(engines):
    return Routes(derive=lambda: TABLE, fleet=Fleet(engines=engines))


def test_a_proxy_that_is_away_stops_no_cutover_and_is_recorded(engines, routes):
    events = []
    traffic = MoveTraffic(move="0001_reviews", routes=routes, emit=lambda event, /, **facts: events.append(facts))
    traffic.hold(5)
    traffic.publish(Side.TARGET, 2, 0, 0)
    traffic.release()
    assert engines[0].asked == [("hold", "0001_reviews", 5), ("apply",), ("release", "0001_reviews")]
    assert engines[0].table == TABLE
    sentence = "the proxy two does not answer"
    assert events == [{"hold": sentence}, {"publish": sentence}, {"release": sentence}]


def test_publishing_by_itself_is_strict(routes):
    with pytest.raises(EngineError, match="the proxy two does not answer"):
        routes.publish()


def test_a_stale_proxy_is_refreshed_as_soon_as_it_is_back(engines, routes, caplog):
    stop = threading.Event()
    thread = threading.Thread(target=routes.refresh_until, args=(stop, 0.01))
    thread.start()
    time.sleep(0.1)
    engines[1].away = False
    deadline = time.monotonic() + 5
    while engines[1].table != TABLE and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    thread.join()
    assert [engine.table for engine in engines] == [TABLE, TABLE]
    assert [engine.asked.count(("apply",)) for engine in engines] == [1, 1]
    assert len(caplog.records) == 1
