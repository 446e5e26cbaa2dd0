"""Servers on real sockets for the proxy's tests: an upstream that a test scripts, and the proxy as a process."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

PORTS = range(20_000, 32_000)  # below the ephemeral ones, so that no outgoing connection takes one meanwhile
A_PROCESS = 1_000
TOKEN = "operators"
MOVE = "0001_reviews"


@dataclass(kw_only=True)
class Heard:
    """A request as an upstream received it."""

    method: str
    path: str
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(kw_only=True)
class Said:
    """What an upstream answers."""

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)


class Server:
    """An upstream; `answer` is the test's script."""

    def __init__(self, name: str) -> None:
        self.heard: list[Heard] = []
        self.answer: Callable[[Heard], Said] = lambda request: Said(body=name.encode())
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                if "chunked" in self.headers.get("Transfer-Encoding", ""):
                    body = self._chunks()
                else:
                    body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = Heard(method=self.command, path=self.path, headers=self.headers, body=body)
                upstream.heard.append(request)
                said = upstream.answer(request)
                self.send_response(said.status)
                for header in said.headers:
                    self.send_header(*header)
                self.send_header("Content-Length", str(len(said.body)))
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else said.body)

            def _chunks(self) -> bytes:
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any  # noqa: N815 - http.server names them so

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def heard_at(self, path: str) -> list[Heard]:
        return [request for request in self.heard if request.path == path]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Raw:
    """An upstream on bare sockets: "talk" is the test's script for each request on a connection, given its header.

    The connection ends where the script returns False, or raises OSError.
    """

    def __init__(self, talk: Callable[[socket.socket, bytes], bool | None]) -> None:
        self.heard: list[str] = []  # the first line of each request
        self.connections = 0
        self.talk = talk
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = b""
            while True:
                while b"\r\n\r\n" not in request:
                    if not (data := connection.recv(65536)):
                        return
                    request += data
                header, _, request = request.partition(b"\r\n\r\n")
                self.heard.append(header.partition(b" HTTP")[0].decode())
                if self.talk(connection, header) is False:
                    return

    def close(self) -> None:
        self._socket.close()


class Proxy:
    """The proxy as operators run it."""

    def __init__(
        self, *, state: Path, monolith: str, port: int | None = None, operators: int | None = None, **also: str
    ) -> None:
        """ "also" is of its environment, without the beginning that all variables have."""
        self.stdout: int | IO[str] = subprocess.DEVNULL
        self.port = port or free_port()
        self.operators = operators or self.port
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "STRANGLER_PROXY_LISTEN": f"127.0.0.1:{self.port}",
            "STRANGLER_PROXY_TOKEN": TOKEN,
            "STRANGLER_PROXY_STATE": str(state),
            "STRANGLER_PROXY_MONOLITH": monolith,
            **{f"STRANGLER_PROXY_{name}": value for name, value in also.items()},
        }
        if operators is not None:
            self.environment["STRANGLER_PROXY_OPERATORS"] = f"127.0.0.1:{operators}"

    def launch(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "strangler_proxy"],
            env=self.environment,
            stdout=self.stdout,
            stderr=subprocess.PIPE,
            text=True,
        )

    def start(self) -> None:
        self.process = self.launch()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                if self.operate("GET", "/-/health")[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the proxy did not start")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stderr is not None
        self.process.stderr.close()

    @property
    def megabytes(self) -> float:
        """The most memory that it has had since forget_peak()."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def connect(self, port: int | None = None) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=15)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        port: int | None = None,
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """Send one request on a connection of its own."""
        connection = self.connect(port)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def operate(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        content = None if body is None else json.dumps(body).encode()
        return self.ask(method, path, content, {"Authorization": f"Bearer {TOKEN}"}, self.operators)[:2]


def table(monolith: Server, reviews: Server, *, identity: bool = False, **changes: object) -> dict[str, object]:
    move = {"move": MOVE, "term": 1, "n": 0, "owner": "monolith", "candidate": "reviews", "weight": 0}
    return {
        "default": "monolith",
        "upstreams": {
            "monolith": {"url": monolith.url, "identity": False},
            "reviews": {"url": reviews.url, "identity": identity},
        },
        "moves": [{**move, "routes": ["/api/reviews/"], **changes}],
    }


def free_port() -> int:
    """A port that nobody listens at; tests of another process are not given it."""
    for port in itertools.islice(_own_ports, A_PROCESS):
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


def _claimed() -> Iterator[int]:
    """Those of the first block that no other process has, round and round; it is had by holding its first port."""
    for first in PORTS[::A_PROCESS]:
        with suppress(OSError), socket.socket() as claim:
            claim.bind(("127.0.0.1", first))
            yield from itertools.cycle(range(first + 1, first + A_PROCESS))
    raise AssertionError("no free ports")


_own_ports = _claimed()


def publish(proxy, *args, **changes):
    """Route so; the gateway stays as it is."""
    gateway = json.loads(proxy.operate("GET", "/-/table")[1]).get("gateway", {})
    status, body = proxy.operate("PUT", "/-/table", {**table(*args, **changes), "gateway": gateway})
    assert status == 200, body


def eventually(condition):
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)
