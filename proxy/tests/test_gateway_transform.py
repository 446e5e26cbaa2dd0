"""Transformations over real sockets; what they make of a message is tested with the pure modules."""

import json

from world import Said

JSON = ("Content-Type", "application/json")
POLICY = {
    "path": "/api/old/<pk>/",
    "transform": {
        "path": "/api/reviews/<pk>/",
        "request": {"json": {"move": {"stars": "rating"}}},
        "response": {"json": {"move": {"rating": "stars"}}, "headers": {"set": {"X-Shape": "old"}}},
    },
}


def test_an_old_path_and_shape_reach_the_move_that_has_the_new_ones(common):
    proxy, monolith = common.proxy, common.monolith
    monolith.answer = lambda request: Said(body=request.body or b'{"rating": 4}', headers=[JSON])
    common.with_policies(POLICY)
    written = proxy.ask("POST", "/api/old/7/?a=b", b'{"stars": 5}', {"Content-Type": "application/json"})
    assert (written[0], json.loads(written[1]), written[2]["X-Shape"]) == (200, {"stars": 5}, "old")
    heard = monolith.heard[0]
    assert (heard.path, heard.body, heard.headers["Strangler-Move"]) == (
        "/api/reviews/7/?a=b",
        b'{"rating":5}',
        "0001_reviews",
    )
    connection = proxy.connect()
    for _ in range(2):
        connection.request("GET", "/api/old/7/", headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (200, {"stars": 4})


def test_an_answer_too_long_to_be_changed_is_not_passed_on(common):
    proxy, monolith = common.proxy, common.monolith
    monolith.answer = lambda request: Said(body=b'{"rating": "' + b"x" * 3_000_000 + b'"}', headers=[JSON])
    common.with_policies(POLICY)
    assert proxy.ask("GET", "/api/old/7/")[0] == 502
    assert len(proxy.ask("GET", "/api/reviews/7/")[1]) > 3_000_000
    monolith.answer = lambda request: Said(body=b'{"rating": 1}', headers=[JSON])
    assert proxy.ask("GET", "/api/old/7/")[1] == b'{"stars":1}'


def test_no_change_of_a_path_reaches_what_is_the_proxys_own(common):
    proxy, monolith = common.proxy, common.monolith
    policy = {"path": "/out/<a>/<b>/", "transform": {"path": "/<a>/<b>/"}}
    common.with_policies(policy)
    assert proxy.ask("GET", "/out/-/table/")[0] == 404
    assert proxy.ask("GET", "/out/.strangler/identity/")[0] == 404
    assert monolith.heard == []
    assert proxy.ask("GET", "/out/a/b/")[0] == 200


def test_the_cache_keeps_the_servers_shape_and_each_client_gets_its_own(common):
    proxy, monolith = common.proxy, common.monolith
    monolith.answer = lambda request: Said(body=b'{"rating": 4}', headers=[JSON, ("Cache-Control", "max-age=60")])
    common.with_policies(POLICY, {"path": "/", "cache": {}})
    paths = ("/api/old/7/", "/api/reviews/7/", "/api/old/7/")
    answers = [proxy.ask("GET", path, headers={"Accept-Encoding": "identity"}) for path in paths]
    assert [answer[1] for answer in answers] == [b'{"stars":4}', b'{"rating": 4}', b'{"stars":4}']
    assert len(monolith.heard) == 1
    status, body, headers = proxy.ask("HEAD", "/api/old/7/", headers={"Accept-Encoding": "identity"})
    assert (status, body, headers["Content-Length"]) == (200, b"", None)
