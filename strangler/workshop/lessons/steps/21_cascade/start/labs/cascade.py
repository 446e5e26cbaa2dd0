"""A shop of eight threads, and reviews that hang, fail or say no; its clocks run twenty times as fast."""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import patch

import httpx

from monolith.reviews import remote
from monolith.reviews.errors import ReviewNotFound, ReviewsUnavailable

THREADS, PAGES, FASTER = 8, 12, 20
PATIENCE = 20.0
"""Seconds by the shop's clock: whoever looks at an empty page for so long is gone."""
HANG = None
EMPTY = json.dumps({"count": 0, "next": None, "results": []}).encode()


class Reviews(ThreadingHTTPServer):
    """Answers with the next of its statuses, the last one again and again; HANG is none until it is let go."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *statuses):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses, self.asked, self.let_go = list(statuses), 0, threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, request, client_address):
        """Whoever asked has gone."""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked += 1
        status = server.statuses.pop(0) if len(server.statuses) > 1 else server.statuses[0]
        if status is HANG:
            server.let_go.wait()
        self.send_response(status or 200)
        self.send_header("Content-Length", str(len(EMPTY)))
        self.end_headers()
        self.wfile.write(EMPTY)

    def log_message(self, template, *values):
        pass


class Line:
    """Counts the calls that are on it at a time."""

    def __init__(self):
        self.now, self.most, self._lock = 0, 0, threading.Lock()
        self._send = httpx.HTTPTransport.handle_request

    def __call__(self, transport, request):
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            return self._send(transport, request)
        finally:
            with self._lock:
                self.now -= 1


def main():
    with patch.object(time, "sleep", lambda seconds: None):  # pauses between attempts show nothing here
        told = {**hanging(), **failing(), **one_error(), **saying_no()}
    if "--json" in sys.argv:
        print(json.dumps(told))
        return
    print("The reviews hang. 12 people look at products, 1 at the home page; the shop has 8 threads.")
    print(f"  threads that hang with them      {told['hung']}")
    print(f"  product pages that come          {told['pages']}")
    print("The reviews fail at once. 10 people look at products, one after the other.")
    print(f"  requests that still go there     {told['asked']}")
    print(f"  reviews found when they are back {'yes' if told['back'] else 'no'}")
    if told["broken"]:
        print(f"And a page broke: {told['broken']}")


def hanging():
    """How many threads hang with them, and how many pages come nevertheless."""
    server, line = Reviews(HANG), Line()
    reviews = client(server)
    with (
        patch.object(httpx.HTTPTransport, "handle_request", lambda *what: line(*what)),
        ThreadPoolExecutor(THREADS) as shop,
    ):
        pages = [shop.submit(page, reviews) for _ in range(PAGES)]
        shop.submit(str)
        wait(pages, timeout=PATIENCE / FASTER)
        came = sum(one.done() for one in pages)
        server.let_go.set()
    broken = [how for one in pages if (how := one.result()) not in ("with", "without")]
    return {"hung": line.most, "pages": came, "broken": (broken or [""])[0]}


def failing():
    """How often they are asked in vain, and whether they are found again when they are well."""
    server = Reviews(500)
    reviews = client(server, pause=3600.0)
    for _ in range(10):
        page(reviews)
    asked = server.asked
    reviews = client(server, pause=0.0)
    for _ in range(10):
        page(reviews)
    server.statuses = [200]
    return {"asked": asked, "back": page(reviews) == "with"}


def one_error():
    """Whether one error in between costs a page its reviews."""
    return {"one_error": page(client(Reviews(500, 200), pause=3600.0)) == "with"}


def saying_no():
    """Whether they are taken for dead if they say "not found" often enough."""
    server = Reviews(404)
    reviews = client(server, pause=3600.0)
    for _ in range(20):
        page(reviews)
    before = server.asked
    page(reviews)
    return {"no_is_an_answer": server.asked > before}


def client(server, **limits):
    """Orchard's own, at the lab's speed."""
    given = httpx.Timeout(remote.TIMEOUT).as_dict()
    timeout = httpx.Timeout(**{name: seconds and seconds / FASTER for name, seconds in given.items()})
    wait = {"wait": remote.LIMITS.wait / FASTER}
    return remote.RemoteReviews(
        f"http://127.0.0.1:{server.server_port}", timeout=timeout, limits=replace(remote.LIMITS, **wait, **limits)
    )


def page(reviews):
    """A product's page: with its reviews, or without."""
    try:
        reviews.page(product=1)
    except ReviewNotFound:
        return "with"
    except ReviewsUnavailable:
        return "without"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "with"


if __name__ == "__main__":
    main()
