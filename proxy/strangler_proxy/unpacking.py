"""Bodies as they were before they were packed, up to a size: some bytes unpack to thousands of times as many."""

from __future__ import annotations

import zlib
from contextlib import suppress

_EITHER = zlib.MAX_WBITS | 32
"""zlib finds out by itself whether it is gzip or deflate."""
_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})


def unpacked(body: bytes, coding: str, longest: int) -> bytes | None:
    """The body, unpacked where it can be; None where it would be longer than that."""
    if coding.strip().lower() in _CODINGS:
        unpacking = zlib.decompressobj(_EITHER)
        with suppress(zlib.error):  # what is not what it says is taken as it is
            body = unpacking.decompress(body, longest + 1)
    return body if len(body) <= longest else None
