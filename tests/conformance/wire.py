"""HTTP/1.1 by hand, so that a case can send any bytes and sees those that come."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Self

Fields = tuple[tuple[str, str], ...]

SECONDS = 20.0
_PIECE = bytes(range(256)) * 256
_SHOWN = 5_000


@dataclass(frozen=True, kw_only=True)
class Body:
    """A body as it came: its size, its digest, and how it begins, so that the largest need no memory."""

    size: int = 0
    digest: str = hashlib.sha256().hexdigest()
    start: bytes = b""

    @classmethod
    def of(cls, pieces: Iterator[bytes]) -> Self:
        digest, size, start = hashlib.sha256(), 0, b""
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            start += piece[: _SHOWN - len(start)]
        return cls(size=size, digest=digest.hexdigest(), start=start)

    def __str__(self) -> str:
        return f"{self.size} bytes {self.start[:200]!r}"


@dataclass(frozen=True, kw_only=True)
class Message:
    """A request's or an answer's first line, header, body and trailers."""

    first: str
    fields: Fields
    body: Body = field(default_factory=Body)
    trailers: Fields = ()

    @property
    def status(self) -> int:
        return int(self.first.split(" ")[1])

    @property
    def method(self) -> str:
        return self.first.split(" ")[0]

    @property
    def target(self) -> str:
        return self.first.split(" ")[1]

    def value(self, name: str) -> str | None:
        """All values of a field, joined; None where there is none."""
        found = [value for known, value in self.fields if known.lower() == name.lower()]
        return ", ".join(found) if found else None


class Broken(Exception):
    """The connection ended before the message did, or is no HTTP."""


def pieces(size: int) -> Iterator[bytes]:
    """So many bytes, the same each time."""
    for begin in range(0, size, len(_PIECE)):
        yield _PIECE[: min(len(_PIECE), size - begin)]


def header(first: str, fields: Fields) -> bytes:
    """The bytes of a message up to its body."""
    lines = [first, *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


class Connection:
    """One end of a connection. Closed by `close` or as a context."""

    def __init__(self, given: socket.socket) -> None:
        self.socket = given
        self._reader: BinaryIO = given.makefile("rb")

    @classmethod
    def to(cls, port: int) -> Self:
        opened = socket.create_connection(("127.0.0.1", port), SECONDS)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(opened)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._reader.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send_chunk(self, piece: bytes) -> None:
        self.send(b"%x\r\n%s\r\n" % (len(piece), piece))

    def receive(self, count: int) -> bytes:
        """So many bytes, fewer at the end."""
        return self._reader.read(count)

    def head(self) -> Message:
        """A message's first line and header. Raises Broken at the end of the connection."""
        first = self._line()
        fields = self._fields()
        return Message(first=first, fields=fields)

    def request(self) -> Message:
        """A whole request."""
        return self.rest(self.head(), until_the_end=False)

    def answer(self, method: str = "GET") -> Message:
        """A whole answer, behind all that only inform. Raises Broken."""
        answer = self.head()
        while 100 <= answer.status < 200 and answer.status != 101:
            answer = self.head()
        if method == "HEAD" or answer.status in (101, 204, 304):
            return answer
        return self.rest(answer, until_the_end=True)

    def rest(self, head: Message, *, until_the_end: bool) -> Message:
        """The message with its body. Without a length it has none, or ends with the connection."""
        trailers: list[Fields] = []
        if "chunked" in (head.value("transfer-encoding") or "").lower():
            body = Body.of(self._chunks(trailers))
        elif (length := head.value("content-length")) is not None:
            body = Body.of(self._exactly(int(length)))
        else:
            body = Body.of(iter(lambda: self.receive(1 << 16), b"")) if until_the_end else Body()
        return Message(first=head.first, fields=head.fields, body=body, trailers=trailers[0] if trailers else ())

    def is_closed(self) -> bool:
        """Whether the other end has closed; waits for it."""
        try:
            return self._reader.read(1) == b""
        except ConnectionResetError:
            return True

    def _line(self) -> str:
        line = self._reader.readline(1 << 17)
        if not line.endswith(b"\n"):
            raise Broken(f"the connection ended with {line!r}")
        return line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")

    def _fields(self) -> Fields:
        found = []
        while line := self._line():
            name, _, value = line.partition(":")
            found.append((name, value.strip()))
        return tuple(found)

    def _exactly(self, size: int) -> Iterator[bytes]:
        while size:
            piece = self.receive(min(size, 1 << 16))
            if not piece:
                raise Broken(f"the body ended {size} bytes early")
            size -= len(piece)
            yield piece

    def _chunks(self, trailers: list[Fields]) -> Iterator[bytes]:
        while size := int(self._line().partition(";")[0], 16):
            yield from self._exactly(size)
            self._line()
        trailers.append(self._fields())
