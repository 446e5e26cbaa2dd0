"""A table that is applied again and again while clients ask."""

from __future__ import annotations

import threading

from tests.conformance.case import Request, move, table
from tests.conformance.stage import Stage

APPLIED = table(
    move("applied", owner="reviews", candidate="orders", term=2, final=True),
    move("applied_too", "/api/products/<pk>/reviews/", owner="reviews", candidate="monolith", final=True),
)
_REQUESTS = (
    (Request(target="/"), b"monolith"),
    (Request(target="/api/reviews/"), b"reviews"),
    (Request(target="/api/products/7/reviews/", method="POST", body=b"x"), b"reviews"),
)


class Clients:
    """Some clients that ask one request after the other, each on one connection, and note what went wrong."""

    def __init__(self, stage: Stage) -> None:
        self.wrong: list[str] = []
        self.answered = 0
        self._stage, self._stop = stage, threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=each) for each in _REQUESTS]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(20)

    def _ask(self, request: Request, expected: bytes) -> None:
        try:
            with self._stage.connect() as connection:
                while not self._stop.wait(0.002):
                    connection.send(request.head + request.body)
                    answer = connection.answer()
                    self.answered += 1
                    if (answer.status, answer.body.start) != (200, expected):
                        self.wrong.append(f"{answer.first} {answer.body}")
        except Exception as error:
            self.wrong.append(repr(error))


def apply_under_load(stage: Stage, times: int) -> Clients:
    """What the clients saw meanwhile."""
    stage.begin(APPLIED)
    with Clients(stage) as clients:
        for _ in range(times):
            stage.apply(APPLIED)
    return clients
