"""Bytes on real sockets: an upstream that notes what comes and says what a test wants, and what a client gets."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_LENGTH = re.compile(rb"\ncontent-length: ?(\d+)\r", re.IGNORECASE)
_CHUNKED = re.compile(rb"\ntransfer-encoding: ?chunked\r", re.IGNORECASE)


class Raw:
    """An upstream. It reads requests as a strict server does, and keeps their bytes."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.script: Callable[[bytes], bytes] = lambda request: OK
        """What it says to a request; where that is nothing it closes."""
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)  # or the thread that accepts would keep it open
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        data = b""
        with connection, suppress(OSError):
            while True:
                while (end := _end_of_request(data)) is None:
                    if not (came := connection.recv(1 << 16)):
                        return
                    data += came
                self.heard.append(data[:end])
                answer, data = self.script(data[:end]), data[end:]
                connection.sendall(answer)
                if not answer:
                    return


def _end_of_request(data: bytes) -> int | None:
    head = data.find(b"\r\n\r\n") + 4
    if head == 3:
        return None
    if _CHUNKED.search(data, 0, head):
        end = data.find(b"0\r\n\r\n", head)
        return None if end < 0 else end + 5
    length = _LENGTH.search(data, 0, head)
    end = head + (int(length[1]) if length else 0)
    return end if len(data) >= end else None


def said(port: int, *pieces: bytes, until: bytes | None = None) -> bytes:
    """What comes back for the pieces, to the connection's end, or to these bytes. A reset is an end."""
    came = b""
    with socket.create_connection(("127.0.0.1", port), 10) as connection, suppress(ConnectionError):
        for piece in pieces:
            connection.sendall(piece)
        while until is None or until not in came:
            if not (data := connection.recv(1 << 16)):
                break
            came += data
    return came
