"""A payment provider on loopback: `python -m monolith.fakes.payment_provider --port 8010`.

POST   /charges            {"key": "…", "amount": "12.50"} -> 201 {"reference": "…"}; the same key again -> 200
GET    /charges            [{"key": "…", "amount": "12.50", "reference": "…"}]
PUT    /behaviour          {"delay": 0.5, "failing": true}: how charges go from now on
GET    /health             {"status": "ok"}
"""

import argparse
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4


class Provider:
    """Who was charged what. A key is charged once, however often it is sent."""

    def __init__(self):
        self._lock = threading.Lock()
        self._charges = {}
        self._delay = 0.0
        self._failing = False

    def charge(self, key, amount):
        """`(status, answer)`: 201 charged, 200 charged before, 402 declined, 409 another amount under this key."""
        time.sleep(self._delay)
        if self._failing:
            return 402, {"error": "declined"}
        with self._lock:
            known = self._charges.get(key)
            if known is None:
                self._charges[key] = {"key": key, "amount": amount, "reference": uuid4().hex}
                return 201, self._charges[key]
        return (200, known) if known["amount"] == amount else (409, {"error": "another amount under this key"})

    def charges(self):
        with self._lock:
            return list(self._charges.values())

    def behave(self, delay, failing):
        self._delay, self._failing = delay, failing


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        match self.path:
            case "/health":
                self._answer(200, {"status": "ok"})
            case "/charges":
                self._answer(200, self.server.provider.charges())
            case _:
                self._answer(404, {"error": "no such address"})

    def do_POST(self):
        self._with_body("/charges", lambda body: self.server.provider.charge(body["key"], body["amount"]))

    def do_PUT(self):
        self._with_body("/behaviour", self._behave)

    def _behave(self, body):
        self.server.provider.behave(float(body.get("delay", 0)), bool(body.get("failing", False)))
        return 200, body

    def _with_body(self, path, act):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != path:
            self._answer(404, {"error": "no such address"})
            return
        try:
            status, answer = act(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            status, answer = 400, {"error": f"not understood: {error!r}"}
        self._answer(status, answer)

    def _answer(self, status, answer):
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, template, *values):
        line = {"logger": "payments", "message": template % values}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def server(port):
    """A provider that listens on 127.0.0.1; port 0 takes a free one."""
    listening = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    listening.daemon_threads = True
    listening.provider = Provider()
    return listening


def main():
    parser = argparse.ArgumentParser(description="A payment provider that charges nobody.")
    parser.add_argument("--port", type=int, default=8010)
    server(parser.parse_args().port).serve_forever()


if __name__ == "__main__":
    main()
