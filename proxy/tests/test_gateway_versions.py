"""Versions over real sockets; which one a request speaks is tested with the pure modules."""

from world import table


def test_a_version_leads_to_its_upstream_under_that_paths_policies(proxy, monolith, reviews):
    versions = {
        "default": "v2",
        "known": [{"name": "v1", "path": "/legacy/", "deprecated": "2026-01-31"}, {"name": "v2"}],
    }
    closed = {"path": "/legacy/secret/", "throttle": [{"rate": 0.001, "burst": 1, "per": "route"}]}
    policies = [{"path": "/api/", "versions": versions}, closed]
    offered = {**table(monolith, reviews, owner="reviews", candidate="monolith"), "gateway": {"policies": policies}}
    assert proxy.operate("PUT", "/-/table", offered)[0] == 200
    assert proxy.ask("GET", "/api/v2/reviews/7/?a=b")[1] == b"reviews"
    assert reviews.heard[0].path == "/api/reviews/7/?a=b"
    status, body, headers = proxy.ask("GET", "/api/v1/reviews/7/")
    assert (status, body, headers["Deprecation"]) == (200, b"monolith", "@1769817600")
    assert monolith.heard[0].path == "/legacy/reviews/7/"
    assert proxy.ask("GET", "/api/v3/reviews/7/")[0] == 404
    assert [proxy.ask("GET", "/api/v1/secret/")[0] for _ in range(2)] == [200, 429]
    assert b'strangler_versions_total{policy="/api/",version="v1"} 3.0' in proxy.operate("GET", "/-/metrics")[1]
