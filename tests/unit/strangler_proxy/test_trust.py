"""Whom a request is from, behind proxies that are trusted and in spite of those that are not."""

import pytest
from strangler_proxy.trust import Trusted

INNER = Trusted.parse("10.0.0.0/8, 2001:db8::/32")


def way(peer, *forwarded_for, proto=(), trusted=INNER):
    return trusted.way(peer, forwarded_for, proto, "http")


@pytest.mark.parametrize(
    ("peer", "said", "addresses"),
    [
        ("203.0.113.9", [], ("203.0.113.9",)),
        ("203.0.113.9", ["10.0.0.1"], ("203.0.113.9",)),
        ("10.0.0.1", ["203.0.113.9"], ("203.0.113.9", "10.0.0.1")),
        ("::ffff:10.0.0.1", ["203.0.113.9"], ("203.0.113.9", "::ffff:10.0.0.1")),
        ("10.0.0.1", ["127.0.0.1, 203.0.113.9"], ("203.0.113.9", "10.0.0.1")),
        ("10.0.0.1", ["10.9.9.9, 203.0.113.9", "2001:db8::7"], ("203.0.113.9", "2001:db8::7", "10.0.0.1")),
        ("10.0.0.1", ["10.0.0.3", "10.0.0.2"], ("10.0.0.3", "10.0.0.2", "10.0.0.1")),
        ("10.0.0.1", ["203.0.113.9, admin, 10.0.0.2"], ("10.0.0.2", "10.0.0.1")),
        ("10.0.0.1", ["203.0.113.9,"], ("10.0.0.1",)),
        ("10.0.0.1", ["203.0.113.9\r\nX: y"], ("10.0.0.1",)),
        ("unknown", ["203.0.113.9"], ("unknown",)),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_not_trusted(peer, said, addresses):
    assert way(peer, *said).addresses == addresses


def test_whoever_trusts_nobody_goes_by_the_connection():
    assert way("10.0.0.1", "203.0.113.9", proto=["https"], trusted=Trusted.parse("")).addresses == ("10.0.0.1",)


@pytest.mark.parametrize(
    ("peer", "proto", "scheme"),
    [
        ("10.0.0.1", ["https"], "https"),
        ("10.0.0.1", ["https, http"], "http"),
        ("10.0.0.1", ["gopher"], "http"),
        ("10.0.0.1", [], "http"),
        ("203.0.113.9", ["https"], "http"),
    ],
)
def test_the_scheme_is_what_the_last_proxy_says_if_it_is_trusted(peer, proto, scheme):
    assert way(peer, proto=proto).scheme == scheme


@pytest.mark.parametrize("text", ["10.0.0.1/8", "inner", "10.0.0.0/33"])
def test_what_is_no_network_is_named(text):
    with pytest.raises(ValueError, match=f'"{text}" is no address or network'):
        Trusted.parse(f"::1, {text}")
