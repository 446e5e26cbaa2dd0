"""Which clients a canary takes, between real sockets."""

import base64
import json
import threading

from world import MOVE, Said, eventually, publish

STAFF = ["staff"]


def cohorts(proxy):
    return json.loads(proxy.operate("GET", f"/-/cohorts/{MOVE}")[1])


def tells_who(request):
    """The monolith: who "ann" is, of the staff, and "bob", who is not."""
    if request.path.startswith("/.strangler/"):
        name = request.headers["Cookie"].partition("=")[2]
        claims = base64.urlsafe_b64encode(json.dumps({"name": name, "staff": name == "ann"}).encode()).decode()
        return Said(body=json.dumps({"token": f"e30.{claims.rstrip('=')}.e30"}).encode())
    return Said(body=b"monolith")


def test_the_staff_reads_from_the_candidate_first_and_nobody_else_does(proxy, monolith, reviews):
    monolith.answer = tells_who
    publish(proxy, monolith, reviews, identity=True, n=1, early=STAFF)
    sides = [
        proxy.ask("GET", "/api/reviews/", headers={"Cookie": f"sessionid={name}"} if name else {})[1]
        for name in ("ann", "bob", "", "ann")
    ]
    assert sides == [b"reviews", b"monolith", b"monolith", b"reviews"]
    seen = cohorts(proxy)
    assert [seen[name]["requests"] for name in ("early", "candidate", "control")] == [2, 0, 0]
    asked = [request for request in monolith.heard if request.path.startswith("/.strangler/")]
    assert len(asked) == 2
    assert proxy.ask("POST", "/api/reviews/", b"x", {"Cookie": "sessionid=ann"})[1] == b"monolith"


def test_where_the_monolith_does_not_tell_nobody_is_of_the_staff(proxy, monolith, reviews):
    monolith.answer = lambda request: Said(status=500 if request.path.startswith("/.strangler/") else 200)
    publish(proxy, monolith, reviews, identity=True, n=1, early=STAFF)
    assert proxy.ask("GET", "/api/reviews/", headers={"Cookie": "sessionid=ann"})[0] == 200
    assert reviews.heard == []


def test_a_marked_request_is_the_candidates_and_falls_back_to_the_owner(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, early=["header:X-Beta=1"])
    marked = {"X-Beta": "1"}
    assert proxy.ask("GET", "/api/reviews/", headers=marked)[1] == b"reviews"
    reviews.answer = lambda request: Said(status=503)
    assert proxy.ask("GET", "/api/reviews/", headers=marked)[:2] == (200, b"monolith")
    assert cohorts(proxy)["early"]["failed"] == 1
    assert proxy.ask("GET", "/api/reviews/", headers={"X-Beta": "2"})[1] == b"monolith"


def test_a_tenant_stays_on_one_side_whatever_client_it_comes_from(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, weight=5_000, key="header:X-Tenant")
    sides = {
        tenant: {proxy.ask("GET", "/api/reviews/", headers={"X-Tenant": tenant})[1] for _ in range(3)}
        for tenant in ("acme", "bike", "cafe", "dove", "east", "farm")
    }
    assert all(len(found) == 1 for found in sides.values())
    assert set.union(*sides.values()) == {b"monolith", b"reviews"}
    assert proxy.ask("GET", "/api/reviews/")[1] == b"monolith"


def test_routes_and_methods_that_are_not_shared_have_no_shadow_either(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, n=1, weight=10_000, shadow=10_000, only_methods=["HEAD"])
    assert proxy.ask("GET", "/api/reviews/")[1] == b"monolith"
    assert len(monolith.heard) == 1
    assert reviews.heard == []
    assert proxy.ask("HEAD", "/api/reviews/")[0] == 200
    assert [request.method for request in reviews.heard] == ["HEAD"]


def test_the_owners_writes_are_counted_by_the_version_that_sent_them(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, term=2, owner="reviews", candidate="monolith")
    reviews.answer = lambda request: Said(status=500 if request.body == b"bad" else 201)
    for body in (b"good", b"bad", b"good"):
        proxy.ask("POST", "/api/reviews/", body)
    proxy.ask("POST", "/api/orders/", b"bad")
    writes = cohorts(proxy)["writes"]
    assert (writes["requests"], writes["failed"], sum(writes["seconds"])) == (3, 1, 3)
    publish(proxy, monolith, reviews, term=2, n=1, owner="reviews", candidate="monolith")
    assert cohorts(proxy)["writes"]["requests"] == 0
    reviews.close()
    assert proxy.ask("POST", "/api/reviews/", b"x")[0] == 502
    assert cohorts(proxy)["writes"]["failed"] == 1


def test_a_client_that_goes_away_is_no_failure_of_the_owner(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, term=2, owner="reviews", candidate="monolith")
    arrived, go_on = threading.Event(), threading.Event()
    reviews.answer = lambda request: (arrived.set(), go_on.wait(10), Said())[2]
    connection = proxy.connect()
    connection.request("POST", "/api/reviews/", b"x")
    assert arrived.wait(10)
    connection.close()
    eventually(lambda: json.loads(proxy.operate("PUT", f"/-/holds/{MOVE}", {"seconds": 1})[1])["in_flight"] == 0)
    go_on.set()
    assert cohorts(proxy)["writes"]["requests"] == 0


def test_where_the_monolith_does_not_tell_who_a_client_is_the_owner_has_not_failed(proxy, monolith, reviews):
    publish(proxy, monolith, reviews, identity=True, term=2, owner="reviews", candidate="monolith")
    monolith.answer = lambda request: Said(status=500)
    assert proxy.ask("POST", "/api/reviews/", b"x", {"Cookie": "sessionid=ann"})[0] == 503
    assert cohorts(proxy)["writes"]["requests"] == 0
