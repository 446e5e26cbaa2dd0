"""OpenAPI documents over real sockets; what is done by them is tested with the steps."""

import json

from test_documents import DOCUMENT
from world import Said, table

JSON = ("Content-Type", "application/json")


def test_documents_are_published_shown_and_gone_by_also_after_a_restart(proxy, monolith, reviews):
    policies = [
        {"path": "/docs/", "describe": {"title": "Shop"}},
        {"path": "/api/", "validate": {"requests": "refuse", "answers": "refuse"}},
        {"path": "/api/reviews/<id>/", "methods": ["POST"], "mock": {}},
    ]
    offered = {**table(monolith, reviews), "gateway": {"revision": 1, "policies": policies}}
    assert proxy.operate("PUT", "/-/table", offered)[0] == 200
    assert proxy.ask("GET", "/api/reviews/5/")[0] == 503
    assert proxy.ask("PUT", "/-/openapi/monolith", b"{}")[0] == 404
    assert proxy.operate("PUT", "/-/openapi/nobody", DOCUMENT)[0] == 422
    assert proxy.operate("PUT", "/-/openapi/monolith", {"openapi": "2"})[0] == 422
    assert proxy.operate("PUT", "/-/openapi/monolith", DOCUMENT) == (200, b"{}")
    proxy.stop()
    proxy.start()
    assert b"<code>/api/reviews/{id}/</code>" in proxy.ask("GET", "/docs/")[1]
    told = json.loads(proxy.operate("GET", "/-/openapi")[1])
    assert (list(told["document"]["paths"]), told["problems"]) == (["/api/reviews/{id}/"], [])
    assert proxy.ask("GET", "/api/reviews/x/")[0] == 400
    assert monolith.heard == []
    monolith.answer = lambda request: Said(body=b'{"rating": "5"}', headers=[JSON])
    assert proxy.ask("GET", "/api/reviews/5/")[:2] == (502, b'{"detail": "the server\'s answer is not as documented"}')
    monolith.answer = lambda request: Said(body=b'{"rating": 5}', headers=[JSON])
    assert proxy.ask("GET", "/api/reviews/5/", headers={"Accept-Encoding": "gzip"})[:2] == (200, b'{"rating": 5}')
    status, body, headers = proxy.ask("POST", "/api/reviews/5/", b'{"rating": 1}', dict([JSON]))
    assert (status, body, headers["X-Mock"]) == (201, b'{"rating": 4}', "1")
    assert [request.method for request in monolith.heard] == ["GET", "GET"]
    metrics = proxy.operate("GET", "/-/metrics")[1]
    assert b'strangler_invalid_total{policy="/api/",what="answer",why="invalid"} 1.0' in metrics
