"""Fields that end with their connection."""

import pytest
from strangler_proxy.hops import onward

KEPT = [(b"Host", b"shop"), (b"X-A", b"b"), (b"x-a", b"c"), (b"Content-Length", b"0")]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, KEPT),
        ({b"upgrade": [b"websocket"]}, KEPT),
        ({b"connection": [b"X-A"]}, [KEPT[0], KEPT[3]]),
        ({b"connection": [b"close, Host", b"x-a ,content-length"]}, [KEPT[0], KEPT[3], (b"Connection", b"close")]),
        ({b"connection": [b"Keep-Alive"]}, [*KEPT, (b"Connection", b"keep-alive")]),
        ({b"connection": [b"upgrade"], b"upgrade": [b"h2c"]}, KEPT),
        ({b"connection": [b"upgrade"], b"upgrade": [b"websocket", b"h2c"]}, KEPT),
        (
            {b"connection": [b"keep-alive, Upgrade"], b"upgrade": [b"WebSocket"]},
            [*KEPT, (b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")],
        ),
    ],
)
def test_what_connection_names_ends_here_and_only_a_websocket_goes_on(said, expected):
    assert onward(list(KEPT), said) == expected
