"""Requests in a stream of bytes as RFC 9112 has them, by hand and strictly: the proxy's own reading is held against it.

Nothing of it is shared with the proxy.
"""

from __future__ import annotations

import posixpath
import string
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

_TOKEN = frozenset((string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~").encode())
_DIGITS = frozenset(string.digits.encode())
_HEX = frozenset(string.hexdigits.encode())
_HOST = frozenset((string.ascii_letters + string.digits + "._~!$&'()*+;=%-:[]").encode())
_CODINGS = (b"chunked", b"gzip,chunked", b"deflate,chunked", b"compress,chunked")

Fields = tuple[tuple[bytes, bytes], ...]
End = Literal["over", "incomplete", "malformed"]
"""Why there are no more requests: nothing is left, something is missing yet, or what comes is none."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request. The target is a path and a query, whatever it was written as."""

    method: bytes
    target: bytes
    version: bytes
    fields: Fields
    body: bytes

    def values(self, name: bytes) -> list[bytes]:
        return [value for known, value in self.fields if known.lower() == name]

    @property
    def is_last(self) -> bool:
        """Whether its sender wants the connection to end with it."""
        options = {part.strip() for value in self.values(b"connection") for part in value.lower().split(b",")}
        return b"close" in options or (self.version == b"HTTP/1.0" and b"keep-alive" not in options)

    @property
    def is_for_the_proxy(self) -> bool:
        """Whether somebody could read its path as one of the proxy's own."""
        path = unquote(self.target.partition(b"?")[0].decode("latin-1"))
        return (posixpath.normpath("/" + path.lstrip("/")) + "/").startswith(("/-/", "/.strangler"))


class _Malformed(Exception):
    pass


class _Incomplete(Exception):
    pass


def read(data: bytes) -> tuple[list[Request], End]:
    """The whole requests at the stream's beginning, and why there are no more."""
    found, at = [], 0
    try:
        while True:
            while data.startswith(b"\r\n", at):
                at += 2
            if at == len(data):
                return found, "over"
            request, at = _request(data, at)
            found.append(request)
    except _Incomplete:
        return found, "incomplete"
    except _Malformed:
        return found, "malformed"


def _request(data: bytes, at: int) -> tuple[Request, int]:
    end = data.find(b"\r\n\r\n", at)
    if end < 0:
        raise _Incomplete
    first, *lines = data[at:end].split(b"\r\n")
    method, target, version = _first(first)
    fields = tuple(_field(line) for line in lines)
    request = Request(method=method, target=target, version=version, fields=fields, body=b"")
    request = Request(method=method, target=_path(request, target), version=version, fields=fields, body=b"")
    body, at = _body(request, data, end + 4)
    return Request(method=method, target=request.target, version=version, fields=fields, body=body), at


def _first(line: bytes) -> tuple[bytes, bytes, bytes]:
    parts = line.split(b" ")
    _must(len(parts) == 3)
    method, target, version = parts
    _must(bool(method) and set(method) <= _TOKEN and version in (b"HTTP/1.0", b"HTTP/1.1"))
    _must(bool(target) and all(0x21 <= byte <= 0x7E for byte in target) and b"#" not in target)
    return method, target, version


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    _must(bool(colon) and bool(name) and set(name) <= _TOKEN)
    _must(_is_text(value))
    return name, value.strip(b" \t")


def _path(request: Request, target: bytes) -> bytes:
    hosts = request.values(b"host")
    _must(len(hosts) == 1 or (not hosts and request.version == b"HTTP/1.0"))
    _must(all(set(host) <= _HOST for host in hosts))
    if target.startswith(b"/") or (target == b"*" and request.method == b"OPTIONS"):
        _must(request.method.upper() != b"CONNECT")
        return target
    scheme, _, rest = target.partition(b"://")
    host, slash, path = rest.partition(b"/")
    _must(scheme in (b"http", b"https") and slash == b"/" and b"?" not in host)
    _must([host.lower()] == [known.lower() for known in hosts] and request.method.upper() != b"CONNECT")
    return b"/" + path


def _body(request: Request, data: bytes, at: int) -> tuple[bytes, int]:
    lengths, codings = request.values(b"content-length"), request.values(b"transfer-encoding")
    _must(len(lengths) + len(codings) <= 1)
    if codings:
        parts = b",".join(part.strip(b" \t") for part in codings[0].lower().split(b","))
        _must(parts in _CODINGS and request.version == b"HTTP/1.1")
        return _chunks(data, at)
    if not lengths:
        return b"", at
    (length,) = lengths
    _must(bool(length) and set(length) <= _DIGITS and (length == b"0" or not length.startswith(b"0")))
    _must(len(length) < 4_000)
    end = at + int(length)
    if end > len(data):
        raise _Incomplete
    return data[at:end], end


def _chunks(data: bytes, at: int) -> tuple[bytes, int]:
    body = b""
    while True:
        line, at = _line(data, at)
        size, _, extension = line.partition(b";")
        size = size if extension else size.rstrip(b" \t")
        _must(0 < len(size) <= 20 and set(size) <= _HEX and _is_text(extension))
        if not int(size, 16):
            break
        end = at + int(size, 16)
        if end + 2 > len(data):
            raise _Incomplete
        _must(data[end : end + 2] == b"\r\n")
        body, at = body + data[at:end], end + 2
    while True:
        line, at = _line(data, at)
        if not line:
            return body, at
        _field(line)


def _line(data: bytes, at: int) -> tuple[bytes, int]:
    end = data.find(b"\r\n", at)
    if end < 0:
        raise _Incomplete
    return data[at:end], end + 2


def _is_text(value: bytes) -> bool:
    return all(byte == 9 or (byte >= 0x20 and byte != 0x7F) for byte in value)


def _must(condition: bool) -> None:
    if not condition:
        raise _Malformed
