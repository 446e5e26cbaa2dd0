"""Several processes behind one port."""

import pytest
from world import TOKEN, Proxy, free_port, table


@pytest.fixture
def proxies(tmp_path, monolith):
    port = free_port()
    running = [
        Proxy(state=tmp_path / f"{name}.json", monolith=monolith.url, port=port, operators=free_port())
        for name in ("one", "two")
    ]
    for proxy in running:
        proxy.start()
    yield running
    for proxy in running:
        proxy.stop()


def test_processes_share_a_port_and_each_is_operated_at_its_own(proxies, monolith, reviews):
    for proxy in proxies:
        given = table(monolith, reviews, term=2, owner="reviews", candidate="monolith")
        assert proxy.operate("PUT", "/-/table", given)[0] == 200
    answers = [proxies[0].ask("POST", "/api/reviews/", b"x")[:2] for _ in range(40)]
    assert answers == [(200, b"reviews")] * 40
    for proxy in proxies:
        # The kernel spreads them by chance: that all 40 go to one happens once in 2 ** 39 runs.
        assert 'strangler_requests_total{kind="write"' in proxy.operate("GET", "/-/metrics")[1].decode()


def test_the_shared_port_has_no_operators_and_theirs_nothing_else(proxies, monolith):
    secret = {"Authorization": f"Bearer {TOKEN}"}
    assert proxies[0].ask("GET", "/-/health", headers=secret)[0] == 404
    assert proxies[0].ask("GET", "/shop/", headers=secret, port=proxies[0].operators)[0] == 404
    assert not monolith.heard


def test_a_port_that_is_not_shared_is_refused(proxy, monolith, tmp_path):
    state = tmp_path / "second.json"
    second = Proxy(state=state, monolith=monolith.url, port=proxy.port, operators=free_port()).launch()
    assert "stop what listens there, or set STRANGLER_PROXY_LISTEN" in second.communicate(timeout=20)[1]
    assert second.returncode == 1
