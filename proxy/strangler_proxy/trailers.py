"""Chunked bodies, to the last byte strictly, and without the fields behind them.

mitmproxy raises NotImplementedError on those, and its connection hangs; whoever forwards a message may leave them out
(RFC 9110, 6.5.1), so they are. h11's reader takes an LF alone for the end of all chunks, which other servers do not.
"""

from __future__ import annotations

import re
from typing import Any

import h11
from h11 import _readers
from h11._readers import ChunkedReader
from mitmproxy.proxy.layers.http import _http1

from strangler_proxy import heads

_CHUNK = re.compile(rb"(?P<chunk_size>[0-9A-Fa-f]{1,20})(?P<chunk_ext>;[^\x00-\x08\x0a-\x1f\x7f]*)?[ \t]*\r\n")
_LONE = re.compile(rb"(?<!\r)\n")


class ChunksAlone(ChunkedReader):
    """Reads a chunked body, and past its trailers."""

    def __call__(self, buffer: Any) -> Any:
        return _past_trailers(buffer) if self._reading_trailer else super().__call__(buffer)


def leave_out() -> None:
    """Have mitmproxy's layers read bodies so. They make their reader by this name, and take no other."""
    _http1.ChunkedReader = ChunksAlone
    _readers.chunk_header_re = _CHUNK


def _past_trailers(buffer: Any) -> Any:
    data = bytes(buffer)
    end = 2 if data.startswith(b"\r\n") else data.find(b"\r\n\r\n") + 4
    if end == 3:
        if _LONE.search(data):
            raise h11.RemoteProtocolError("the trailers do not end with CRLF")
        return None
    if not heads.FIELDS.fullmatch(data, 0, end):
        raise h11.RemoteProtocolError("the trailers are malformed")
    buffer.maybe_extract_at_most(end)
    return h11.EndOfMessage()
