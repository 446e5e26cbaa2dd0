"""Writes that are rehearsed at the candidate, between real sockets."""

import json
import socket
import threading
from contextlib import contextmanager

from strangler_proxy.effects import token_for
from world import MOVE, TOKEN, Said, eventually, free_port, publish


def row(key, **columns):
    return {"table": "reviews_review", "key": [key], "row": {"id": key, **columns}, "generated": ["id"]}


def tells(status=201, body=None, rows=(), batch=7, **told):
    told = {"before": batch, "rows": list(rows), "unsaid": False, **told}
    headers = [("Content-Type", "application/json"), ("Strangler-Effects", json.dumps(told))]
    return lambda request: Said(status=status, body=json.dumps(body or {}).encode(), headers=headers)


def owner(*args, **told):
    return tells(*args, **{"waits": False, **told})


def candidate(*args, **told):
    return tells(*args, **{"after": 7, "blocked": [], **told})


@contextmanager
def bare(answer):
    """An upstream that says just these bytes, once; the test's own server always tells a length."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            connection = listening.accept()[0]
            with connection:
                connection.recv(1 << 16)
                connection.sendall(answer)
                connection.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    thread.join(10)


def seen(proxy):
    status, body = proxy.operate("GET", f"/-/shadows/{MOVE}")
    return json.loads(body) if status == 200 else {"compared": 0, "unclear": 0, "unanswered": 0, "dropped": 0}


def write(proxy, *, path="/api/reviews/", expected="compared"):
    before = seen(proxy)[expected]
    answer = proxy.ask("POST", path, b'{"rating": 5}', {"X-Mine": "1"})
    eventually(lambda: seen(proxy)[expected] == before + 1)
    return answer


def test_the_candidate_rehearses_what_the_owner_does_and_only_the_proxy_is_told(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, shadow_writes=10_000)
    many = [row(n, body="x" * 200) for n in range(1, 50) if n != 17]  # about as long as such a header gets
    monolith.answer = owner(body={"id": 17, "rating": 5}, rows=[*many, row(17, rating=5)])
    reviews.answer = candidate(body={"id": 1_000_017, "rating": 5}, rows=[*many, row(1_000_017, rating=5)])
    status, body, headers = write(proxy)
    assert (status, json.loads(body)) == (201, {"id": 17, "rating": 5})
    assert not [name for name in headers if name.lower().startswith("strangler-")]
    assert (seen(proxy)["different"], seen(proxy)["differing"]) == (0, [])
    (asked,), (rehearsed,) = monolith.heard, reviews.heard
    assert (asked.body, rehearsed.body) == (b'{"rating": 5}', b'{"rating": 5}')
    assert (asked.headers["Strangler-Effects"], asked.headers["Strangler-Move"]) == (MOVE, MOVE)
    assert asked.headers["Strangler-Rehearsal-Token"] == token_for(TOKEN, "monolith")
    assert (rehearsed.headers["Strangler-Rehearsal"], rehearsed.headers["Strangler-Shadow"]) == (MOVE, "1")
    assert rehearsed.headers["Strangler-Rehearsal-Token"] == token_for(TOKEN, "reviews")
    assert (rehearsed.headers["Strangler-Move"], rehearsed.headers["Strangler-Effects"]) == (None, None)
    assert rehearsed.headers["X-Mine"] == "1"


def test_an_answer_without_a_body_is_compared_as_well(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, shadow_writes=10_000)
    gone = {"table": "reviews_review", "key": [3], "row": None, "generated": ["id"]}
    told = json.dumps({"before": 7, "waits": False, "rows": [gone], "unsaid": False}).encode()
    answer = b"HTTP/1.1 204 No Content\r\nContent-Type: application/json\r\nStrangler-Effects: " + told + b"\r\n\r\n"
    with bare(answer) as url:
        monolith.url = url
        publish(proxy, monolith, reviews, n=2, shadow_writes=10_000)
        reviews.answer = candidate(204, rows=[gone])
        assert proxy.ask("DELETE", "/api/reviews/3/")[0] == 204
        eventually(lambda: seen(proxy)["compared"] == 1)
    assert seen(proxy)["different"] == 0


def test_other_answers_and_other_rows_are_differences(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, shadow_writes=10_000, ignore=["rows reviews_review.reference"])
    monolith.answer = owner(body={"id": 17}, rows=[row(17, rating=5, reference="a"), row(3, rating=1)])
    reviews.answer = candidate(body={"id": 99}, rows=[row(99, rating=4, reference="b")])
    write(proxy, path="/api/reviews/?email=ann@example.org&page=1")
    found = {one["path"]: one["samples"][0] for one in seen(proxy)["differing"]}
    assert found.keys() == {"rows reviews_review.rating", "rows reviews_review"}
    assert (found["rows reviews_review.rating"]["owner"], found["rows reviews_review.rating"]["candidate"]) == (
        "5",
        "4",
    )
    assert found["rows reviews_review"]["candidate"] == "no change"
    assert {one["request"] for one in found.values()} == {"POST /api/reviews/?email=REDACTED&page=1"}
    cohorts = json.loads(proxy.operate("GET", f"/-/cohorts/{MOVE}")[1])
    assert (cohorts["compared"], cohorts["different"]) == (1, 1)


def test_what_cannot_be_told_is_no_difference(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, shadow_writes=10_000)
    monolith.answer, other = owner(), candidate(status=409)
    for reviews.answer in (
        candidate(status=409, batch=6),
        candidate(status=409, after=8),
        candidate(status=409, unsaid=True),
        candidate(status=409, blocked=["socket.connect"]),
        lambda request: Said(status=503),
    ):
        write(proxy, expected="unclear")
    reviews.answer = other
    for monolith.answer in (owner(waits=True), owner(unsaid=True), lambda request: Said(status=201)):
        write(proxy, expected="unclear")
    assert seen(proxy)["compared"] == 0
    monolith.answer = owner()
    write(proxy)
    assert seen(proxy)["different"] == 1


def test_no_client_waits_for_a_rehearsal_and_too_many_are_dropped(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, shadow_writes=10_000)
    monolith.answer, go_on = owner(), threading.Event()
    reviews.answer = lambda request: (go_on.wait(30), candidate()(request))[1]
    connection = proxy.connect()
    for _ in range(20):
        connection.request("POST", "/api/reviews/", b"x")
        assert connection.getresponse().read() == b"{}"
    connection.close()
    assert (seen(proxy)["compared"], seen(proxy)["dropped"]) == (0, 4)
    go_on.set()
    eventually(lambda: seen(proxy)["compared"] == 16)


def test_a_candidate_that_is_away_and_an_owner_that_breaks_off_cost_nothing(proxy, monolith, reviews):
    class Nobody:
        url = f"http://127.0.0.1:{free_port()}"

    publish(proxy, monolith, Nobody, n=1, shadow_writes=10_000)
    monolith.answer = owner()
    assert write(proxy, expected="unclear")[0] == 201
    publish(proxy, monolith, reviews, n=2, shadow_writes=10_000)
    reviews.answer = candidate()
    monolith.close()
    assert write(proxy, expected="unanswered")[0] == 502


def test_large_writes_reads_and_those_outside_of_the_share_are_not_rehearsed(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, shadow_writes=10_000)
    proxy.ask("POST", "/api/reviews/", bytes(2 << 20))
    proxy.ask("GET", "/api/reviews/")
    proxy.ask("POST", "/api/orders/", b"x")
    publish(proxy, monolith, reviews, n=2)
    proxy.ask("POST", "/api/reviews/", b"x")
    assert reviews.heard == []
    assert [request.headers["Strangler-Effects"] for request in monolith.heard] == [None] * 4


def test_a_client_cannot_ask_for_a_rehearsal_or_for_effects(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1)
    monolith.answer = owner(rows=[row(1, secret="x")])
    forged = {"Strangler-Effects": MOVE, "Strangler_Rehearsal": MOVE, "Strangler-Rehearsal-Token": "x"}
    headers = proxy.ask("POST", "/api/reviews/", b"x", forged)[2]
    assert not [name for name in headers if name.lower().startswith("strangler-")]
    (asked,) = monolith.heard
    assert not [name for name in asked.headers if name.lower().replace("_", "-").startswith("strangler-r")]
    assert asked.headers["Strangler-Effects"] is None
