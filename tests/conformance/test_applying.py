"""A table that is applied again and again under load costs nobody a request, on any live engine."""

import threading
from dataclasses import replace

import pytest

from tests.conformance.case import Request, move, table
from tests.conformance.engines import LIVE

TIMES = 1_000
TABLE = table(
    move("applied", owner="reviews", candidate="orders", term=2, final=True),
    move("applied_too", "/api/products/<pk>/reviews/", owner="reviews", candidate="monolith", final=True),
)
REQUESTS = (
    (Request(target="/"), b"monolith"),
    (Request(target="/api/reviews/"), b"reviews"),
    (Request(target="/api/products/7/reviews/", method="POST", body=b"x"), b"reviews"),
)


class Clients:
    """A few clients that ask one request after the other, each on one connection, and note what went wrong."""

    def __init__(self, stage):
        self.wrong, self.answered = [], 0
        self._stage, self._stop = stage, threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(3)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self._stop.set()
        for thread in self._threads:
            thread.join(20)

    def _ask(self, number):
        try:
            with self._stage.connect() as connection:
                while not self._stop.wait(0.002):
                    request, expected = REQUESTS[number]
                    connection.send(request.head + request.body)
                    answer = connection.answer()
                    self.answered += 1
                    if (answer.status, answer.body.start) != (200, expected):
                        self.wrong.append(f"{answer.first} {answer.body}")
        except Exception as error:
            self.wrong.append(repr(error))


@pytest.mark.parametrize("engine", LIVE)
def test_a_table_that_is_applied_a_thousand_times_under_load_loses_no_request(engine, stages):
    stage = stages(engine)
    stage.begin(TABLE)
    with Clients(stage) as clients:
        for _ in range(TIMES):
            stage.apply(TABLE)
    assert clients.wrong == []
    assert clients.answered > TIMES / 10
    assert stage.engine.observe().moves == TABLE.moves


@pytest.mark.parametrize("engine", LIVE)
def test_clients_notice_a_table_that_routes_elsewhere(engine, stages):
    stage = stages(engine)
    stage.begin(TABLE)
    with Clients(stage) as clients:
        stage.apply(replace(TABLE, moves=()))
        for _ in range(20):
            stage.engine.observe()
    assert clients.wrong
