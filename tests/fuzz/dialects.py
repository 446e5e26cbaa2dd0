"""What each engine reads that RFC 9112 does not have, so that nothing else passes for its reading."""

from __future__ import annotations

from collections.abc import Mapping

from tests.fuzz.reference import STRICT, Dialect

DIALECTS: Mapping[str, Dialect] = {
    "mitmproxy": STRICT,
    "haproxy": Dialect(
        lf=True,
        folds=True,
        spaces=True,
        noughts=True,
        merges=True,
        chunks_win=True,
        loose=True,
        stalls=True,
        bodies=True,
        goes_on=True,
    ),
    "envoy": Dialect(
        lf=True,
        crs=True,
        folds=True,
        spaces=True,
        noughts=True,
        merges=True,
        versions=True,
        stalls=True,
        absolute=True,
        chunk_ends=True,
        bodies=True,
        goes_on=True,
    ),
}
