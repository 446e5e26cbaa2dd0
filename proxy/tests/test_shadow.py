"""Shadows of reads, between real sockets."""

import gzip
import json
import threading

from world import MOVE, Said, eventually, free_port, publish

JSON = [("Content-Type", "application/json")]


class Nobody:
    """A service that is not there."""

    def __init__(self):
        self.url = f"http://127.0.0.1:{free_port()}"


def seen(proxy):
    status, body = proxy.operate("GET", f"/-/shadows/{MOVE}")
    return json.loads(body) if status == 200 else {"compared": 0, "unanswered": 0, "dropped": 0}


def says(server, **values):
    server.answer = lambda request: Said(body=json.dumps(values).encode(), headers=JSON)


def test_the_client_gets_the_owners_answer_and_what_the_candidate_says_is_compared(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, shadow=10_000)
    says(monolith, rating=4)
    says(reviews, rating=5)
    assert json.loads(proxy.ask("GET", "/api/reviews/7/?token=s3cret&page=2")[1]) == {"rating": 4}
    eventually(lambda: seen(proxy)["compared"] == 1)
    (found,) = seen(proxy)["differing"]
    assert (found["endpoint"], found["path"], found["kind"]) == ("GET /api/reviews/<n>/", "$.rating", "value")
    assert found["samples"] == [
        {"request": "GET /api/reviews/7/?token=REDACTED&page=2", "owner": "4", "candidate": "5"}
    ]
    assert [request.headers["Strangler-Shadow"] for request in monolith.heard] == [None, "1"]
    assert [request.headers["Strangler-Shadow"] for request in reviews.heard] == ["1"]
    cohorts = json.loads(proxy.operate("GET", f"/-/cohorts/{MOVE}")[1])
    assert (cohorts["compared"], cohorts["different"], cohorts["control"]["requests"]) == (1, 1, 0)


def test_where_the_owner_differs_from_itself_nothing_is_said_of_the_candidate(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, shadow=10_000)
    monolith.answer = lambda request: Said(
        body=json.dumps({"at": len(monolith.heard), "rating": 4}).encode(), headers=JSON
    )
    says(reviews, at=0, rating=4)
    proxy.ask("GET", "/api/reviews/")
    eventually(lambda: seen(proxy)["compared"] == 1)
    assert seen(proxy)["differing"] == []
    assert seen(proxy)["noise"] == [{"endpoint": "GET /api/reviews/", "path": "$.at", "count": 1}]


def test_what_the_plan_ignores_is_no_difference(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, shadow=10_000, ignore=["$.at"])
    says(monolith, at=1)
    says(reviews, at=2)
    proxy.ask("GET", "/api/reviews/")
    eventually(lambda: seen(proxy)["compared"] == 1)
    assert seen(proxy)["different"] == 0


def test_writes_and_reads_outside_of_the_share_have_no_shadow(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, shadow=10_000)
    proxy.ask("POST", "/api/reviews/", b"x")
    proxy.ask("GET", "/api/orders/")
    publish(proxy, monolith, reviews, n=2, shadow=0)
    proxy.ask("GET", "/api/reviews/")
    assert reviews.heard == []
    assert len(monolith.heard) == 3


def test_a_candidate_that_is_away_or_slow_costs_the_client_nothing(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, shadow=10_000)
    go_on = threading.Event()

    def slow(request):
        go_on.wait(10)
        return Said()

    reviews.answer = slow
    for _ in range(5):
        assert proxy.ask("GET", "/api/reviews/")[:2] == (200, b"monolith")
    assert seen(proxy)["compared"] == 0
    go_on.set()
    eventually(lambda: seen(proxy)["compared"] == 5)
    publish(proxy, monolith, Nobody(), n=2, shadow=10_000)
    assert proxy.ask("GET", "/api/reviews/")[:2] == (200, b"monolith")
    eventually(lambda: seen(proxy)["compared"] == 1)
    assert "no answer" in {sample["candidate"] for group in seen(proxy)["differing"] for sample in group["samples"]}


def test_a_404_against_a_200_is_shown(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, shadow=10_000)
    says(monolith, rating=4)
    reviews.answer = lambda request: Said(status=404, body=b"{}", headers=JSON)
    proxy.ask("GET", "/api/reviews/7/")
    eventually(lambda: seen(proxy)["compared"] == 1)
    (found,) = seen(proxy)["differing"]
    assert (found["path"], found["samples"][0]["owner"], found["samples"][0]["candidate"]) == ("status", "200", "404")


def test_an_answer_that_unpacks_to_too_much_is_not_compared(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, shadow=10_000)
    reviews.answer = lambda request: Said(
        body=gzip.compress(bytes(50 << 20)), headers=[*JSON, ("Content-Encoding", "gzip")]
    )
    assert proxy.ask("GET", "/api/reviews/")[1] == b"monolith"
    eventually(lambda: seen(proxy).get("too_large") == 1)
    assert seen(proxy)["compared"] == 0


def test_what_waits_is_bounded_and_what_is_dropped_is_counted(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, shadow=10_000)
    go_on = threading.Event()
    reviews.answer = lambda request: (go_on.wait(30), Said())[1]
    connection = proxy.connect()
    for _ in range(210):
        connection.request("GET", "/api/reviews/")
        assert connection.getresponse().read() == b"monolith"
    connection.close()
    assert 210 - 200 - 2 - 1 <= seen(proxy)["dropped"] <= 10
    go_on.set()
