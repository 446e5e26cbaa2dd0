"""Fields behind a chunked body: mitmproxy raises NotImplementedError on them, and its connection hangs.

Whoever forwards a message may leave them out (RFC 9110, 6.5.1), so they are.
"""

from __future__ import annotations

import h11
from h11._readers import ChunkedReader
from h11._receivebuffer import ReceiveBuffer
from mitmproxy.proxy.layers.http import _http1


class ChunksAlone(ChunkedReader):
    """Reads a chunked body, and past its trailers."""

    def __call__(self, buf: ReceiveBuffer) -> h11.Data | h11.EndOfMessage | None:
        event = super().__call__(buf)
        return h11.EndOfMessage() if isinstance(event, h11.EndOfMessage) else event


def leave_out() -> None:
    """Have mitmproxy's layers read bodies so. They make their reader by this name, and take no other."""
    _http1.ChunkedReader = ChunksAlone
