"""The gateway's policies over real sockets; what they say of a request is tested with the pure modules."""

from world import publish, table


def with_policies(proxy, monolith, reviews, *policies, revision):
    offered = {**table(monolith, reviews), "gateway": {"revision": revision, "policies": list(policies)}}
    return proxy.operate("PUT", "/-/table", offered)


def test_who_asks_for_too_much_is_told_when_to_come_again(proxy, monolith, reviews):
    throttle = [{"rate": 0.01, "burst": 2, "per": "address"}]
    assert with_policies(proxy, monolith, reviews, {"path": "/api/", "throttle": throttle}, revision=1)[0] == 200
    assert [proxy.ask("GET", "/api/orders/")[0] for _ in range(3)] == [200, 200, 429]
    status, body, headers = proxy.ask("POST", "/api/reviews/", b"x" * 2_000_000)  # too long to be kept
    assert (status, body) == (429, b'{"detail": "too many requests"}')
    assert 1 <= int(headers["Retry-After"]) <= 100
    connection = proxy.connect()
    connection.request("GET", "/api/orders/")
    assert connection.getresponse().reason == "Too Many Requests"
    connection.close()
    assert reviews.heard == []
    assert proxy.ask("GET", "/elsewhere/")[0] == 200
    assert with_policies(proxy, monolith, reviews, revision=2)[0] == 200
    assert proxy.ask("GET", "/api/orders/")[0] == 200


def test_a_path_that_could_have_another_policy_for_somebody_else_is_refused_where_there_are_policies(
    proxy, monolith, reviews
):
    publish(proxy, monolith, reviews)
    assert proxy.ask("GET", "/api/../orders/")[0] == 200
    policy = {"path": "/orders/", "throttle": [{"rate": 1, "burst": 100}]}
    assert with_policies(proxy, monolith, reviews, policy, revision=1)[0] == 200
    assert proxy.ask("GET", "/api/../orders/")[0] == 400


def test_a_lower_revision_and_a_bad_policy_are_refused_and_the_old_table_goes_on(proxy, monolith, reviews):
    policy = {"path": "/", "throttle": [{"rate": 0.01, "burst": 1, "per": "route"}]}
    assert with_policies(proxy, monolith, reviews, policy, revision=4)[0] == 200
    assert with_policies(proxy, monolith, reviews, policy, revision=3)[0] == 409
    assert with_policies(proxy, monolith, reviews, {"path": "/", "cash": True}, revision=5)[0] == 422
    assert [proxy.ask("GET", "/")[0] for _ in range(2)] == [200, 429]
