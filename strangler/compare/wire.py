"""As much of HTTP/1.1 as the load needs; a library would take ten times the CPU."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

Address = tuple[str, int]
_HEAD = 65_536


class Broken(Exception):
    """An answer that is none."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def bytes_for(self, address: Address) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {address[0]}:{address[1]}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"Content-Length: {len(self.body)}"] if self.body or self.method != "GET" else []
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back, and whether the connection may be used again."""

    status: int
    headers: Mapping[str, str]  # by lower-case names; of several of a name, the last
    body: bytes
    keep: bool


@dataclass(frozen=True)
class Connection:
    """One connection, for one request at a time."""

    address: Address
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def to(cls, address: Address) -> Connection:
        return cls(address, *await asyncio.open_connection(*address, limit=_HEAD))

    async def ask(self, request: Request) -> Answer:
        """Raises Broken and OSError; then the connection is of no more use."""
        self.writer.write(request.bytes_for(self.address))
        try:
            status, headers = parse_head(await self.reader.readuntil(b"\r\n\r\n"))
            body, ends = await self._body(status, headers)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            raise Broken(f"no whole answer to {request.method} {request.path}: {error}") from error
        keep = not ends and headers.get("connection", "").lower() != "close"
        return Answer(status=status, headers=headers, body=body, keep=keep)

    def close(self) -> None:
        self.writer.close()

    async def _body(self, status: int, headers: Mapping[str, str]) -> tuple[bytes, bool]:
        """The body, and whether the connection's end was its end."""
        if status in {204, 304} or status < 200:
            return b"", False
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await self._chunks(), False
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"])), False
        return await self.reader.read(), True

    async def _chunks(self) -> bytes:
        body = b""
        while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += (await self.reader.readexactly(size + 2))[:-2]
        while await self.reader.readuntil(b"\r\n") != b"\r\n":
            pass
        return body


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    """The status and the headers of an answer. Raises ValueError."""
    first, *lines = head.decode("latin-1").split("\r\n")
    version, status = [*first.split(" "), ""][:2]
    if not version.startswith("HTTP/1.") or len(status) != 3:
        raise ValueError(f'an answer begins with "{first[:40]}"')
    split = (line.partition(":") for line in lines if line)
    return int(status), {name.strip().lower(): value.strip() for name, _, value in split}
