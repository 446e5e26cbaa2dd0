"""Versions over real sockets; which one a request speaks is tested with the pure modules."""

import json

from world import Said, table


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


def test_a_stage_answers_its_version_whoever_owns_the_path(common):
    common.monolith.answer = lambda request: Said(
        body=json.dumps({"token": "who"}).encode() if request.path.startswith("/.strangler/") else b"monolith"
    )
    stage = {"name": "preview", "url": common.reviews.url}
    versions = {
        "by": "header:X-Stage",
        "default": "live",
        "known": [{"name": "live"}, {"name": "next", "stage": "preview"}],
    }
    common.with_policies({"path": "/api/", "versions": versions, "cache": {"seconds": 60}}, stages=[stage])
    there = {"X-Stage": "next"}
    assert common.proxy.ask("GET", "/api/reviews/")[1] == b"monolith"
    assert [common.proxy.ask("GET", "/api/reviews/", headers=there)[1] for _ in range(2)] == [b"reviews"] * 2
    assert len(common.reviews.heard) == 1  # and the other one's answer is the live one's alone
    held = common.proxy.operate("PUT", "/-/holds/0001_reviews", {"seconds": 20})
    assert held[0] == 200
    written = common.proxy.ask("POST", "/api/reviews/", b"x", {**there, "Cookie": "sessionid=1"})
    assert (written[0], written[1], written[2]["Set-Cookie"]) == (200, b"reviews", None)
    heard = common.reviews.heard[-1]
    assert (heard.headers["Strangler-Identity"], heard.headers["Strangler-Move"]) == ("who", None)
    assert heard.headers["X-Stage"] is None
    common.proxy.operate("DELETE", "/-/holds/0001_reviews")
