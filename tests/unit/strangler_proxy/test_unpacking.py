"""Packed bodies, also of little size and great content."""

import gzip
import tracemalloc
import zlib

import pytest
from strangler_proxy.unpacking import unpacked

BODY = b'{"rating": 5}' * 100


@pytest.mark.parametrize(
    ("body", "coding"),
    [(BODY, ""), (BODY, "identity"), (gzip.compress(BODY), "gzip"), (zlib.compress(BODY), " Deflate ")],
    ids=["none", "identity", "gzip", "deflate"],  # a gzip's bytes are of the time
)
def test_a_body_is_unpacked_up_to_the_size(body, coding):
    assert unpacked(body, coding, len(BODY)) == BODY
    assert unpacked(body, coding, len(BODY) - 1) is None


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "gzip"])
def test_what_cannot_be_unpacked_stays_as_it_is(coding):
    assert unpacked(b"no gzip", coding, 100) == b"no gzip"


def test_a_bomb_takes_no_memory():
    bomb = gzip.compress(bytes(50 << 20))
    tracemalloc.start()
    assert unpacked(bomb, "gzip", 1 << 20) is None
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()
