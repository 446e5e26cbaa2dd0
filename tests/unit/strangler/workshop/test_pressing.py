"""What waits while something is done, and what CPU that takes."""

import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from strangler.workshop.pressing import cpu_of, waits


class Shop(BaseHTTPRequestHandler):
    closed = False
    answered = 0

    def do_GET(self):
        away = Shop.closed and self.path == "/away"
        Shop.answered = Shop.answered + (not away)
        self.send_response(503 if away else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *told):
        """Not into the tests' output."""


@pytest.fixture
def shop():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_route_that_does_not_answer_waits_as_long_as_that_lasts(shop):
    took = []

    def close_for_a_while():
        began, Shop.closed, Shop.answered = time.monotonic(), True, 0
        while Shop.answered < 5:
            time.sleep(0.05)
        took.append(time.monotonic() - began)
        Shop.closed = False

    away, there = waits(shop, ["/away", "/there"], close_for_a_while)
    assert away >= took[0] - 0.05
    assert there > 0


def test_nothing_goes_on_asking_where_what_is_done_fails(shop):
    before = threading.active_count()

    def fail():
        raise RuntimeError("it does not start")

    with pytest.raises(RuntimeError, match="it does not start"):
        waits(shop, ["/away"], fail)
    assert threading.active_count() <= before


def test_cpu_is_counted_of_the_group_alone():
    def compute():
        until = time.process_time() + 0.1
        while time.process_time() < until:
            sum(range(1000))

    assert cpu_of(os.getpgrp(), compute) >= 0.05
    assert cpu_of(0x7FFFFFFF, compute) == 0
