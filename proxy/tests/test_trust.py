"""Clients behind a proxy that is trusted, on real sockets; whom it believes is tested with the pure module."""

import pytest
from world import Proxy, table

SLOW = {"path": "/api/", "throttle": [{"rate": 0.01, "burst": 1, "per": "address"}]}


@pytest.mark.parametrize(("trusted", "statuses"), [("127.0.0.1", [200, 200, 429]), ("10.0.0.0/8", [200, 429, 429])])
def test_clients_behind_a_trusted_proxy_are_told_apart_and_none_chooses_its_address(
    tmp_path, monolith, reviews, trusted, statuses
):
    proxy = Proxy(state=tmp_path / "routes.json", monolith=monolith.url, TRUSTED=trusted)
    proxy.start()
    try:
        offered = {**table(monolith, reviews), "gateway": {"revision": 1, "policies": [SLOW]}}
        assert proxy.operate("PUT", "/-/table", offered)[0] == 200
        said = ["198.51.100.1", "198.51.100.2", "203.0.113.5, 198.51.100.1"]
        headers = [{"X-Forwarded-For": address, "X-Forwarded-Proto": "https"} for address in said]
        assert [proxy.ask("GET", "/api/", headers=header)[0] for header in headers] == statuses
        heard = monolith.heard[0].headers
        believed = trusted == "127.0.0.1"
        assert heard["X-Forwarded-For"] == ("198.51.100.1, 127.0.0.1" if believed else "127.0.0.1")
        assert heard["X-Forwarded-Proto"] == ("https" if believed else "http")
    finally:
        proxy.stop()


def test_a_network_that_is_none_is_refused_at_the_start(tmp_path):
    second = Proxy(state=tmp_path / "routes.json", monolith="http://127.0.0.1:1", TRUSTED="inner").launch()
    assert 'STRANGLER_PROXY_TRUSTED: "inner" is no address or network' in second.communicate(timeout=20)[1]
