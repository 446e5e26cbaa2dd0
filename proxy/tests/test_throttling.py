"""Token buckets, of one process and shared, and what clients are told of them."""

import asyncio

import pytest
import valkeys
from strangler_proxy import metrics
from strangler_proxy.answers import Answer
from strangler_proxy.gateway import Gateway, Policy, Throttle
from strangler_proxy.gateway.keys import ApiKey, KeyPage, digest_of, new_id, new_secret
from strangler_proxy.shared import Shared
from strangler_proxy.steps.buckets import LARGEST, Bucket, OwnBuckets
from strangler_proxy.steps.chain import Chain
from strangler_proxy.steps.limits import Limits
from strangler_proxy.steps.shared_buckets import SharedBuckets
from strangler_proxy.steps.throttling import Throttling
from strangler_proxy.steps.visit import Visit
from world import Proxy, free_port, table


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


def visit(*throttles, **given):
    gateway = Gateway(policies=(Policy(path="/", throttle=throttles),))
    seen = {"address": "198.51.100.7", "client_key": "", "cookies": [], "authorization": None, "fields": ()}
    return Visit(
        policy=gateway.policy("GET", "/"), method="GET", target="/", body=b"", routing=None, **{**seen, **given}
    )


def statuses(step, *visits):
    async def each():
        return [answer.status if (answer := await step.enter(one)) else 200 for one in visits]

    return asyncio.run(each())


def test_a_burst_passes_at_once_and_then_as_many_as_the_rate_says():
    clock = Clock()
    step = Throttling(buckets=OwnBuckets(clock=clock))
    given = [visit(Throttle(rate=2, burst=3))] * 4
    assert statuses(step, *given) == [200, 200, 200, 429]
    clock.now += 0.4
    assert statuses(step, given[0]) == [429]
    clock.now += 0.1
    assert statuses(step, *given[:2]) == [200, 429]
    clock.now += 1_000
    assert statuses(step, *given) == [200, 200, 200, 429]


@pytest.mark.parametrize("per", ["client", "address", "user", "key", "route"])
def test_each_has_a_bucket_of_its_own_and_who_has_no_name_shares_that_of_its_address(per):
    step = Throttling(buckets=OwnBuckets(clock=Clock()))
    throttle = Throttle(rate=1, per=per)
    others = {"client": {"client_key": "b"}, "user": {"user": "b"}, "key": {"key": "b"}}
    other = others.get(per, {"address": "203.0.113.1"})
    nobodies = [visit(throttle), visit(throttle)]
    expected = [200, 429, 429 if per == "route" else 200]
    assert statuses(step, *nobodies, visit(throttle, **other)) == expected


def test_nobody_gets_another_bucket_by_the_name_of_an_address_or_another_address_of_its_network():
    step = Throttling(buckets=OwnBuckets(clock=Clock()))
    throttle = Throttle(rate=1, per="user")
    named = visit(throttle, user="address 198.51.100.7")
    assert statuses(step, visit(throttle), named) == [200, 200]
    near = [visit(throttle, address=address) for address in ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1")]
    assert statuses(step, *near) == [200, 429, 200]
    assert statuses(step, visit(throttle, address="::ffff:192.0.2.1"), visit(throttle, address="::ffff:192.0.2.2")) == [
        200,
        200,
    ]


def test_where_one_bucket_is_empty_none_of_the_others_loses_a_token():
    step = Throttling(buckets=OwnBuckets(clock=Clock()))
    both = Throttle(rate=1, burst=1, per="user"), Throttle(rate=1, burst=3, per="route")
    assert statuses(step, *[visit(*both, user="a")] * 5) == [200, 429, 429, 429, 429]
    assert statuses(step, visit(*both, user="b"), visit(*both, user="c"), visit(*both, user="d")) == [200, 200, 429]


def test_a_client_is_told_what_is_left_and_when_all_is_again():
    clock = Clock()
    chain = Chain(steps=(Limits(), Throttling(buckets=OwnBuckets(clock=clock))))
    throttles = Throttle(rate=2, burst=4, per="user"), Throttle(rate=0.1, burst=2, per="route")

    async def told():
        one = visit(*throttles, user="a")
        if (left := await chain.enter(one)) is None:
            left = await chain.leave(one, Answer(status=200))
        return left.status, left.header(b"ratelimit-policy"), left.header(b"ratelimit"), left.header(b"retry-after")

    policy = '"user";q=4;w=2, "route";q=2;w=20'
    assert asyncio.run(told()) == (200, policy, '"user";r=3;t=1, "route";r=1;t=10', None)
    clock.now += 0.25
    assert asyncio.run(told()) == (200, policy, '"user";r=2;t=1, "route";r=0;t=20', None)
    assert asyncio.run(told()) == (429, policy, '"user";r=2;t=1, "route";r=0;t=20', "10")


def test_as_many_buckets_are_kept_as_said_and_those_used_longest_ago_go():
    own = OwnBuckets(clock=Clock())

    async def fill():
        for number in range(LARGEST + 1):
            await own.take([Bucket(name=str(number), rate=1, burst=1)])
        oldest, newest = (Bucket(name=str(number), rate=1, burst=1) for number in (0, LARGEST))
        return (await own.take([newest])).wait, (await own.take([oldest])).wait

    assert asyncio.run(fill()) == (1.0, 0.0)
    assert len(own._full) == LARGEST


@pytest.fixture(scope="module")
def valkey(tmp_path_factory):
    with valkeys.running(tmp_path_factory.mktemp("valkey")) as port:
        yield valkeys.url(port)


def test_processes_take_from_the_same_buckets_and_never_more_than_there_is(valkey):
    buckets = [Bucket(name="one", rate=0.001, burst=10), Bucket(name="two", rate=0.001, burst=40)]

    async def all_at_once():
        several = [SharedBuckets(shared=Shared(valkey), own=OwnBuckets()) for _ in range(3)]
        taken = await asyncio.gather(*[several[number % 3].take(buckets) for number in range(60)])
        alone = await several[0].take(buckets[1:])
        return taken, alone

    taken, alone = asyncio.run(all_at_once())
    assert sum(not one.wait for one in taken) == 10
    assert {round(one.wait, -2) for one in taken} == {0, 1000}
    # The requests that the first bucket turned away took nothing from the second.
    assert buckets[1].left(alone.full_in[0]) == 29


def test_shared_buckets_fill_again(valkey):
    bucket = Bucket(name="quick", rate=200, burst=1)

    async def again():
        shared = SharedBuckets(shared=Shared(valkey), own=OwnBuckets())
        assert (await shared.take([bucket])).wait == 0
        while (await shared.take([bucket])).wait:
            await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(again(), 60))


def test_while_valkey_is_away_each_process_goes_by_its_own_buckets(tmp_path):
    port = free_port()
    clock = Clock()
    bucket = Bucket(name="one", rate=0.001, burst=2)

    async def through():
        shared = SharedBuckets(shared=Shared(valkeys.url(port), clock=clock), own=OwnBuckets())

        async def passed(times):
            return [not (await shared.take([bucket])).wait for _ in range(times)]

        def alone():
            return metrics.REGISTRY.get_sample_value("strangler_shared_alone_total")

        before = alone()
        with valkeys.running(tmp_path, port):
            assert await passed(1) == [True]
            assert alone() == before
        assert await passed(3) == [True, True, False]
        assert metrics.REGISTRY.get_sample_value("strangler_shared_up") == 0
        assert alone() == before + 3
        with valkeys.running(tmp_path, port):
            assert await passed(1) == [False]  # it is not asked again yet
            clock.now += 1.1
            assert await passed(3) == [True, True, False]
        assert metrics.REGISTRY.get_sample_value("strangler_shared_up") == 1

    asyncio.run(through())


def test_two_proxies_let_through_together_what_one_would_of_an_address_a_key_and_its_quota(
    tmp_path, monolith, reviews, valkey
):
    policies = [
        {"path": "/api/", "throttle": [{"rate": 0.001, "burst": 5, "per": "address"}]},
        {
            "path": "/partners/",
            "authorize": {"keys": {}},
            "throttle": [{"rate": 0.001, "burst": 4, "per": "key"}],
        },
    ]
    gateway = {"revision": 1, "policies": policies, "plans": [{"name": "small", "per_day": 3}]}
    offered = {**table(monolith, reviews), "gateway": gateway}
    secret = new_secret()
    keys = [ApiKey(id=new_id(), developer="acme", digest=digest_of(secret), plan=plan) for plan in ("small", "")]
    page = KeyPage(after=0, revision=1, keys=tuple(keys)).to_json()
    proxies = [Proxy(state=tmp_path / f"{name}.json", monolith=monolith.url, SHARED=valkey) for name in ("one", "two")]
    for proxy in proxies:
        proxy.start()
    try:
        assert [proxy.operate("PUT", "/-/table", offered)[0] for proxy in proxies] == [200, 200]
        assert [proxy.operate("PUT", "/-/keys", page)[0] for proxy in proxies] == [200, 200]
        answers = [proxies[number % 2].ask("GET", "/api/") for number in range(8)]
        assert [status for status, *_ in answers] == [200] * 5 + [429] * 3
        assert answers[0][2]["RateLimit-Policy"] == '"address";q=5;w=5000'
        assert answers[7][2]["RateLimit"].startswith('"address";r=0;t=')
        for key, expected in zip(keys, ([200] * 3 + [429] * 2, [200] * 4 + [429]), strict=True):
            shown = {"X-API-Key": f"{key.id}.{secret}"}
            answers = [proxies[number % 2].ask("GET", "/partners/", headers=shown) for number in range(5)]
            assert [status for status, *_ in answers] == expected
        assert b'strangler_over_quota_total{plan="small"}' in proxies[1].operate("GET", "/-/metrics")[1]
        assert b'strangler_throttled_total{policy="/api/"}' in proxies[1].operate("GET", "/-/metrics")[1]
    finally:
        for proxy in proxies:
            proxy.stop()


def test_what_is_no_valkey_is_refused_at_the_start(tmp_path):
    second = Proxy(state=tmp_path / "routes.json", monolith="http://127.0.0.1:1", SHARED="here").launch()
    assert "STRANGLER_PROXY_SHARED: " in second.communicate(timeout=20)[1]
