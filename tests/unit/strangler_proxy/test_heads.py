"""Headers byte by byte; what each refusal is for stands in proxy/tests/test_security.py, over real sockets."""

import time

import pytest
from strangler_proxy import heads
from strangler_proxy.heads import Incomplete, Malformed

HEAD = b"GET /a/?b=c HTTP/1.1\r\nHost: shop.example:8000\r\nX-A: \xc3\xa4 b\tc\r\nX-Empty:\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        HEAD,
        HEAD + b"and a body\n\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost:\t[::1]:80 \r\n\r\n",
        b"get / HTTP/1.1\r\nHost:\r\n\r\n",
        b"PURGE http://Shop/a HTTP/1.1\r\nX-Host: a\r\nHost: shop\r\n\r\n",
    ],
)
def test_what_is_as_it_must_be_is_taken(data):
    assert heads.request(data) is None


def test_a_header_is_waited_for_until_it_is_too_long():
    for end in range(len(HEAD)):
        assert isinstance(heads.request(HEAD[:end]), Incomplete)
    assert isinstance(heads.request(b"a" * heads.LONGEST_REQUEST), Incomplete)
    assert heads.request(b"a" * (heads.LONGEST_REQUEST + 1)).status == 431
    assert isinstance(heads.answer(b"a" * heads.LONGEST_ANSWER), Incomplete)
    assert heads.answer(b"a" * (heads.LONGEST_ANSWER + 1)).status == 502


@pytest.mark.parametrize(
    "data",
    [HEAD.replace(b"\r\n", b"\n"), HEAD.replace(b"HTTP/1.1", b"HTTP/1.2"), HEAD.replace(b"Host", b"X-Host"), b"\n\n"],
)
def test_what_is_not_is_refused_with_a_sentence(data):
    wrong = heads.request(data)
    assert isinstance(wrong, Malformed)
    assert (wrong.status, wrong.detail.startswith("the request")) == (400, True)


def test_an_answer_is_known_by_its_status():
    for first in (b"HTTP/1.1 204", b"HTTP/1.1 204 ", b"HTTP/1.0 204 No \xe4 Content"):
        assert heads.answer(first + b"\r\nX-A: b\r\n\r\n") == 204
    for first in (b"HTTP/1.1 20", b"HTTP/1.1  204", b"HTTP/1.1 604 x", b"HTTP/1.1 204 a\rb", b"HTTP/3.1 204 a"):
        assert isinstance(heads.answer(first + b"\r\n\r\n"), Malformed)


@pytest.mark.parametrize("part", [b"a:b\r\n", b"a", b"a:", b"Host: a\r\n", b"a: b\r\n c\r\n", b" ", b"\r"])
def test_the_longest_header_is_seen_through_in_no_time(part):
    data = b"GET / HTTP/1.1\r\n" + part * (heads.LONGEST_REQUEST // len(part) - 10) + b"\0\r\n\r\n"
    began = time.process_time()
    assert isinstance(heads.request(data), Malformed)
    assert time.process_time() - began < 1  # a pattern that tries again and again would take hours


def test_what_is_made_here_is_held_to_the_same():
    assert heads.improper([(b"X-A", b"\xc3\xa4\tb"), (b"X-Empty", b"")], b"/%0d?a=b") == ""
    assert heads.improper([(b"X-A", b"b"), (b"X-B", b"c\r\nX-C: d")]) == "the field b'X-B'"
    assert heads.improper([], b"/a b/") == "the target"
