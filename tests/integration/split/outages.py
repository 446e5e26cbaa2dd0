"""What goes on while a database is away: the daemon, and a writer with a journal."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from contextlib import contextmanager, suppress

import psycopg

from strangler.split import Side, daemon


@contextmanager
def following(shop, traffic):
    """The daemon at work on the shop's move."""
    stop = threading.Event()
    running = threading.Thread(target=daemon.run, args=(lambda: [shop.move], lambda move: traffic, stop))
    running.start()
    try:
        yield
    finally:
        stop.set()
        running.join(timeout=20)
        assert not running.is_alive()


def wait_for(what, seconds=20):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


class Writer:
    """Writes to whoever takes it, over new connections after each failure; a journal of what was acknowledged."""

    def __init__(self, dsns):
        self.dsns = dsns
        self.acknowledged = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._write)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(timeout=20)

    def _write(self):
        side = Side.SOURCE
        while not self.stop.is_set():
            try:
                with psycopg.connect(self.dsns[side], autocommit=True, connect_timeout=2) as connection:
                    while not self.stop.wait(0.005):
                        reference = uuid.uuid4()
                        connection.execute(
                            "INSERT INTO review (reference, product_id, author) VALUES (%s, 1, %s)",
                            (reference, str(reference)),
                        )
                        self.acknowledged.append(reference)
            except psycopg.Error:
                side = side.other
                self.stop.wait(0.02)


@contextmanager
def cut_off(host, port, when):
    """A way to a server that breaks as soon as a client sends this; its port."""

    def pump(one, other, breaks):
        with suppress(OSError):
            while data := one.recv(65_536):
                if breaks and when in data:
                    break
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept():
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                server = socket.create_connection((host, port))
                for ends in ((client, server, True), (server, client, False)):
                    threading.Thread(target=pump, args=ends, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
