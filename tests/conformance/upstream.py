"""An upstream that notes every request as it came, and answers as a case has it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.conformance.wire import Broken, Connection, Fields, Message, header, pieces


@dataclass(frozen=True, kw_only=True)
class Says:
    """What an upstream answers."""

    status: int = 200
    fields: Fields = ()
    body: bytes = b""
    size: int | None = None
    """In place of a body: so many bytes."""
    chunked: bool = False
    trailers: Fields = ()
    raw: bytes | None = None
    """In place of all: these bytes, and the connection ends."""
    close: bool = False
    """End the connection afterwards, without having announced it."""
    then: Callable[[Connection], None] | None = None
    """Has the connection afterwards."""


Script = Callable[[Message], Says]


class RecordingUpstream:
    """A server on a free port of loopback. It says its name where a case says nothing else."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.heard: list[Message] = []
        self.begin()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def begin(self) -> None:
        """Forget the case before."""
        self.heard = []
        self.script: Script = lambda heard: Says(body=self.name.encode())

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                given, _ = self._listening.accept()
                given.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(Connection(given),), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        with connection, suppress(OSError, Broken, ValueError):
            while True:
                head = connection.head()
                if head.value("expect"):
                    connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
                heard = connection.rest(head, until_the_end=False)
                self.heard.append(heard)
                says = self.script(heard)
                _answer(connection, heard, says)
                if says.then is not None:
                    says.then(connection)
                if says.then is not None or says.close or says.raw is not None:
                    return


def _answer(connection: Connection, heard: Message, says: Says) -> None:
    if says.raw is not None:
        connection.send(says.raw)
        return
    size = len(says.body) if says.size is None else says.size
    length = ("Transfer-Encoding", "chunked") if says.chunked else ("Content-Length", str(size))
    none = says.status in (101, 204, 304)
    connection.send(header(f"HTTP/1.1 {says.status} Said", (*says.fields, *(() if none else (length,)))))
    if heard.method == "HEAD" or none:
        return
    for piece in (says.body,) if says.size is None else pieces(says.size):
        if not says.chunked:
            connection.send(piece)
        elif piece:
            connection.send_chunk(piece)
    if says.chunked:
        connection.send(header("0", says.trailers))
