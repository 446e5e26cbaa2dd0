"""An upstream that closes a kept connection, also just as the next request arrives."""

import asyncio
import gc
import http.client
import signal
import socket
import threading

import pytest
from mitmproxy.proxy.server import ConnectionIO
from strangler_proxy.attempts import AGAIN, ALLOWANCE, Allowance
from strangler_proxy.listener import listen
from strangler_proxy.streams import Streams
from world import Proxy, free_port


class Fickle:
    """Answers some requests of each connection, and closes at the next one without a word."""

    def __init__(self) -> None:
        self.answers = 1  # on each connection
        self.heard: list[str] = []
        self._connections: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            for number in range(self.answers + 1):
                request = b""
                while b"\r\n\r\n" not in request:
                    chunk = connection.recv(65536)
                    if not chunk:
                        return
                    request += chunk
                self.heard.append(request.split(b" ", 1)[0].decode())
                if number < self.answers:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def hang_up(self) -> None:
        """Close all connections, also those that wait for a request."""
        for connection in self._connections:
            connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def fickle():
    upstream = Fickle()
    yield upstream
    upstream.close()


@pytest.fixture
def proxy(tmp_path, fickle):
    running = Proxy(state=tmp_path / "routes.json", monolith=fickle.url)
    running.start()
    yield running
    running.stop()


def test_reads_are_sent_again_on_a_new_connection(proxy, fickle):
    client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    for _ in range(5):
        client.request("GET", "/anything/")
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (200, b"ok")
    # The second of each two was heard and not answered, then sent again.
    assert fickle.heard.count("GET") > 5


def test_writes_are_never_sent_twice(proxy, fickle):
    client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    client.request("GET", "/anything/")
    assert client.getresponse().read() == b"ok"
    client.request("POST", "/anything/")
    assert client.getresponse().status == 502
    assert fickle.heard == ["GET", "POST"]


def test_a_read_that_nobody_answers_on_a_new_connection_is_not_sent_again(proxy, fickle):
    fickle.answers = 0
    client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    client.request("GET", "/anything/")
    assert client.getresponse().status == 502
    assert fickle.heard == ["GET"]


def test_a_write_does_not_go_to_a_connection_that_was_closed_before_it(proxy, fickle):
    fickle.answers = 9
    client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    client.request("GET", "/anything/")
    assert client.getresponse().read() == b"ok"
    # The proxy sees both at once: the write first, then that its upstream is gone.
    proxy.process.send_signal(signal.SIGSTOP)
    client.request("POST", "/anything/")
    fickle.hang_up()
    proxy.process.send_signal(signal.SIGCONT)
    assert client.getresponse().status == 200
    assert fickle.heard == ["GET", "POST"]


def test_connections_that_an_upstream_closed_are_forgotten():
    assert asyncio.run(_remembered(requests=2_000)) <= 3  # the client's, the newest, and one whose end is on its way


def test_connections_that_nobody_took_are_forgotten():
    def address(flow, port):
        flow.request.data.host, flow.request.data.port = "127.0.0.1", port

    def to_nobody(flow):
        flow.metadata[ALLOWANCE] = Allowance(connect=2, silence=2)
        flow.metadata["answers"], nobody = flow.request.port, free_port()
        address(flow, nobody)

    def to_the_other(flow, failure):
        assert not failure.sent
        flow.metadata[AGAIN] = True
        address(flow, flow.metadata["answers"])

    hooks = {"requestheaders": to_nobody, "attempt_failed": to_the_other}
    assert asyncio.run(_remembered(requests=50, hooks=hooks)) <= 4
    assert len([found for found in gc.get_objects() if isinstance(found, ConnectionIO)]) <= 4


async def _remembered(requests, hooks=None):
    """How many connections the layer of one client knows, after that many requests with an upstream that closes."""

    async def answer_once(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    upstream = await asyncio.start_server(answer_once, "127.0.0.1", 0)
    port = free_port()
    monolith = f"http://127.0.0.1:{upstream.sockets[0].getsockname()[1]}"
    proxy = await listen("127.0.0.1", port, monolith, hooks or {})
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(requests):
        writer.write(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(2) == b"ok"
    gc.collect()
    (layer,) = [found for found in gc.get_objects() if isinstance(found, Streams)]
    writer.close()
    proxy.close()
    upstream.close()
    return len(layer.connections)
