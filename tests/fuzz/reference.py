"""Requests in a stream of bytes as RFC 9112 has them, by hand and strictly: the engines' reading is held against it.

Nothing of it is shared with the proxy. Where an engine takes more than that, its dialect says what.
"""

from __future__ import annotations

import posixpath
import re
import string
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import unquote

_TOKEN = frozenset((string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~").encode())
_DIGITS = frozenset(string.digits.encode())
_HEX = frozenset(string.hexdigits.encode())
_HOST = frozenset((string.ascii_letters + string.digits + "._~!$&'()*+;=%-:[]").encode())
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
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
    refused: bool = False
    """Whether nobody may get it, though it is clear where it ends."""

    def values(self, name: bytes) -> list[bytes]:
        return [value for known, value in self.fields if known.lower() == name]

    @property
    def is_old(self) -> bool:
        return self.version != b"HTTP/1.1"

    @property
    def is_last(self) -> bool:
        """Whether its sender wants the connection to end with it."""
        options = {part.strip() for value in self.values(b"connection") for part in value.lower().split(b",")}
        return b"close" in options or (self.is_old and b"keep-alive" not in options)

    @property
    def is_for_the_proxy(self) -> bool:
        """Whether somebody could read its path as one of the proxy's own."""
        path = unquote(self.target.partition(b"?")[0].decode("latin-1"))
        return (posixpath.normpath("/" + path.lstrip("/")) + "/").startswith(("/-/", "/.strangler"))


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What a reader takes that is not as RFC 9112 wants it, and mends before it passes it on."""

    lf: bool = False
    """Lines that end with LF alone."""
    folds: bool = False
    """Values that go on in the next line; what would go on behind the first line is left out."""
    spaces: bool = False
    """Before a chunk's extension, and several, or tabs, between the parts of the first line and behind them."""
    crs: bool = False
    """CRs anywhere in a line, and before the first one: they are left out."""
    versions: bool = False
    """Any version: it takes all but HTTP/1.1 for HTTP/1.0. One without is the last, and has no header and no body."""
    stalls: bool = False
    """What it refuses may cost the answers to what was sent before and behind."""
    absolute: bool = False
    """A target's host takes the place of the field's, as RFC 9112, 3.2.2 has it, and needs no path."""
    loose: bool = False
    """Anything in chunks' extensions and in trailers, of which nobody makes anything."""
    chunk_ends: bool = False
    """Anything behind a chunk's size, and behind a chunk, empty lines before one, and anything in a trailer."""
    noughts: bool = False
    """Before a length."""
    merges: bool = False
    """Several hosts or lengths that are the same, and hosts and codings that are empty beside another."""
    chunks_win: bool = False
    """A length beside chunks is left out, and the request is the last one."""
    bodies: bool = False
    """Some of its own refusals of HEAD have them, and end the connection."""
    goes_on: bool = False
    """It refuses a version, a host, a target or a value without ending the connection."""


STRICT = Dialect()


class _Malformed(Exception):
    pass


class _Incomplete(Exception):
    pass


def read(data: bytes, dialect: Dialect = STRICT) -> tuple[list[Request], End]:
    """The whole requests at the stream's beginning, and why there are no more."""
    found, reader = [], _Reader(data, dialect)
    try:
        while True:
            if reader.is_over():
                return found, "over"
            found.append(reader.request())
            _must(not reader.ended)
    except _Incomplete:
        return found, "incomplete"
    except _Malformed:
        return found, "malformed"


class _Reader:
    """Goes through a stream."""

    def __init__(self, data: bytes, dialect: Dialect) -> None:
        self._data, self._dialect, self._at = data, dialect, 0
        self.ended = False
        """Whether what comes is not read any more."""

    def is_over(self) -> bool:
        """Whether there is nothing but empty lines any more."""
        ends = [b"\r\n", *([b"\n"] if self._dialect.lf else []), *([b"\r"] if self._dialect.crs else [])]
        while (end := next((end for end in ends if self._data.startswith(end, self._at)), None)) is not None:
            self._at += len(end)
        return self._at == len(self._data)

    def request(self) -> Request:
        method, target, version = self._first()
        if version == b"HTTP/0.9" and self._dialect.versions:
            self.ended = True
            request = Request(method=method, target=target, version=version, fields=(), body=b"")
            return replace(request, target=_path(request, self._dialect))
        fields = self._fields()
        if self._dialect.merges:
            fields = _merged(fields)
        request = Request(method=method, target=target, version=version, fields=fields, body=b"")
        try:
            request = replace(request, target=_path(request, self._dialect))
        except _Malformed:
            if not self._dialect.goes_on:
                raise
            request = replace(request, refused=True)
        return replace(request, body=self._body(request))

    def _first(self) -> tuple[bytes, bytes, bytes]:
        line = self._line()
        parts = line.split() if self._dialect.spaces else line.split(b" ")
        if self._dialect.versions and len(parts) == 2:
            parts.append(b"HTTP/0.9")
        _must(len(parts) == 3)
        method, target, version = parts
        _must(bool(method) and set(method) <= _TOKEN and _VERSION.fullmatch(version) is not None)
        _must(bool(target) and all(0x21 <= byte <= 0x7F for byte in target))
        if self._dialect.versions and len(line.split()) == 3 and version != b"HTTP/1.1":
            version = b"HTTP/1.0"
        return method, target, version

    def _fields(self) -> Fields:
        fields: list[tuple[bytes, bytes]] = []
        while line := self._line():
            if self._dialect.folds and line[:1] in (b" ", b"\t"):
                if fields:
                    name, value = fields.pop()
                    fields.append((name, (value + b" " + line.strip(b" \t")).strip(b" \t")))
            else:
                fields.append(_field(line))
        return tuple(fields)

    def _body(self, request: Request) -> bytes:
        lengths, codings = request.values(b"content-length"), request.values(b"transfer-encoding")
        self.ended = bool(lengths and codings) and self._dialect.chunks_win
        _must(len(codings) <= 1 and len(lengths) <= (0 if codings and not self.ended else 1))
        if codings:
            named = [part.strip(b" \t") for part in codings[0].lower().split(b",")]
            parts = b",".join(part for part in named if part or not self._dialect.merges)
            _must(parts in _CODINGS and (request.version != b"HTTP/1.0" or self._dialect.versions))
            return self._chunks()
        if not lengths:
            return b""
        (length,) = lengths
        _must(bool(length) and set(length) <= _DIGITS)
        _must(self._dialect.noughts or length == b"0" or not length.startswith(b"0"))
        _must(len(length) < 4_000)
        return self._exactly(int(length))

    def _chunks(self) -> bytes:
        body = b""
        while True:
            line = self._line()
            while self._dialect.chunk_ends and not line:
                line = self._line()
            size, _, extension = line.partition(b";")
            if self._dialect.chunk_ends:
                size = size.lstrip(b" \t").partition(b" ")[0]
            size = size if extension and not self._dialect.spaces else size.rstrip(b" \t")
            _must(0 < len(size) <= 20 and set(size) <= _HEX and (self._dialect.loose or _is_text(extension)))
            if not int(size, 16):
                self._trailers()
                return body
            body += self._exactly(int(size, 16))
            _must(not self._line() or self._dialect.chunk_ends)

    def _trailers(self) -> None:
        while line := self._line():
            _must(self._dialect.loose or self._dialect.chunk_ends or _is_text(_field(line)[1]))

    def _exactly(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise _Incomplete
        begin, self._at = self._at, end
        return self._data[begin:end]

    def _line(self) -> bytes:
        end = self._data.find(b"\n" if self._dialect.lf else b"\r\n", self._at)
        if end < 0:
            raise _Incomplete
        line = self._data[self._at : end]
        self._at = end + (1 if self._dialect.lf else 2)
        if self._dialect.crs:
            return line.replace(b"\r", b"")
        return line.removesuffix(b"\r") if self._dialect.lf else line


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    _must(bool(colon) and bool(name) and set(name) <= _TOKEN)
    return name, value.strip(b" \t")


def _merged(fields: Fields) -> Fields:
    """Of hosts and lengths that are the same the first stays, and no empty host beside another."""
    kept: list[tuple[bytes, bytes]] = []
    for name, value in fields:
        lower, said = name.lower(), value
        if lower == b"content-length" and len(parts := {part.strip(b" \t") for part in value.split(b",")}) == 1:
            said = parts.pop()
        before = [other.lower() for known, other in kept if known.lower() == lower]
        if lower == b"host" and before == [b""]:
            kept = [field for field in kept if field[0].lower() != b"host"]
        if lower not in (b"host", b"content-length") or not before or said.lower() not in (*before, b""):
            kept.append((name, said))
    return tuple(kept)


def _path(request: Request, dialect: Dialect) -> bytes:
    hosts, target = request.values(b"host"), request.target
    _must((request.version in (b"HTTP/1.0", b"HTTP/1.1") or dialect.versions) and request.method.upper() != b"CONNECT")
    _must(all(_is_text(value) for _, value in request.fields) and not {*b"#\x7f"} & {*target})
    if not target.startswith(b"/") and target != b"*":
        scheme, _, rest = target.partition(b"://")
        host, slash, path = rest.partition(b"/")
        _must(scheme in (b"http", b"https") and b"?" not in host)
        if dialect.absolute:
            return b"/" + path
        _must(slash == b"/" and [host.lower()] == [known.lower() for known in hosts])
        target = b"/" + path
    _must(target != b"*" or request.method == b"OPTIONS")
    _must(len(hosts) == 1 or (not hosts and request.version == b"HTTP/1.0"))
    _must(all(set(host) <= _HOST for host in hosts))
    return target


def _is_text(value: bytes) -> bool:
    return all(byte == 9 or (byte >= 0x20 and byte != 0x7F) for byte in value)


def _must(condition: bool) -> None:
    if not condition:
        raise _Malformed
