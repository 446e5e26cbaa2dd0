"""Developers' keys, their quotas and their usage, over real sockets and by themselves."""

import asyncio
import json
import time
from calendar import monthrange
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import valkeys
from strangler_proxy import metrics, remembering
from strangler_proxy.gateway import Gateway, Plan, Policy
from strangler_proxy.gateway.keys import ApiKey, KeyPage, KeyRing, digest_of, new_id, new_secret
from strangler_proxy.gateway.usage import UsageReport
from strangler_proxy.keys import KeyStore
from strangler_proxy.routes import RouteTable, Upstream
from strangler_proxy.shared import Shared
from strangler_proxy.steps.quotas import Quotas
from strangler_proxy.steps.shared_windows import SharedWindows
from strangler_proxy.steps.visit import Visit
from strangler_proxy.steps.windows import LARGEST, OwnWindows, Window
from strangler_proxy.usage import PAGE, Usage
from world import Proxy, Said, Server, free_port, table

NOON = datetime(2026, 2, 28, 12, tzinfo=UTC).timestamp()


def made(secret, **given):
    return ApiKey(**{"id": new_id(), "developer": "acme", "digest": digest_of(secret), **given})


class Shop:
    """One proxy before the monolith, with what a test gives it."""

    def __init__(self, proxy, monolith, reviews):
        self.proxy, self.monolith, self.reviews = proxy, monolith, reviews
        self.revision = 0

    def policies(self, *policies, plans=()):
        self.revision += 1
        offered = table(self.monolith, self.reviews)
        offered["gateway"] = {"revision": self.revision, "policies": list(policies), "plans": list(plans)}
        status, body = self.proxy.operate("PUT", "/-/table", offered)
        assert status == 200, body

    def keys(self, *keys, after=0, revision=1):
        """Keys that stand in place of all before, or that follow."""
        was = 0 if after else json.loads(self.proxy.operate("GET", "/-/keys")[1])["revision"]
        page = KeyPage(after=after, revision=revision, keys=keys, replaces=was).to_json()
        return self.proxy.operate("PUT", "/-/keys", page)[0]

    def ask(self, shown, path="/api/", **headers):
        return self.proxy.ask("GET", path, headers={**({"X-API-Key": shown} if shown else {}), **headers})


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    monolith, reviews = Server("monolith"), Server("reviews")
    proxy = Proxy(state=tmp_path_factory.mktemp("keys") / "routes.json", monolith=monolith.url)
    proxy.start()
    yield Shop(proxy, monolith, reviews)
    proxy.stop()
    monolith.close()
    reviews.close()


@pytest.fixture
def shop(running):
    running.monolith.heard.clear()
    return running


OPEN = {"path": "/api/", "authorize": {"keys": {}}}


def test_a_key_lets_its_developer_through_and_no_upstream_sees_it(shop):
    secret = new_secret()
    key = made(secret, scopes=("read",))
    shop.policies(OPEN)
    assert shop.keys(key) == 200
    shown = f"{key.id}.{secret}"
    assert shop.ask(shown, **{"Strangler-Key": "key_forged"})[0] == 200
    (heard,) = shop.monolith.heard
    ours = {name: value for name, value in heard.headers.items() if name.startswith("Strangler")}
    assert ours == {
        "Strangler-Way": "key",
        "Strangler-Subject": "acme",
        "Strangler-Scopes": "read",
        "Strangler-Key": key.id,
    }
    assert secret not in str(heard.headers)
    assert shop.proxy.ask("GET", "/api/", headers={"X_Api_Key": shown})[0] == 401


def test_what_is_no_good_key_is_refused_and_the_client_is_told_how_to_show_one(shop):
    secret, other = new_secret(), new_secret()
    key = made(secret)
    shop.policies(OPEN)
    assert shop.keys(key) == 200
    status, body, headers = shop.ask("")
    assert (status, json.loads(body)) == (401, {"detail": "say who you are"})
    assert headers["WWW-Authenticate"] == 'ApiKey realm="/api/", header="X-API-Key"'
    for shown in (
        f"{key.id}.{other}",
        key.id,
        f"{key.id}.",
        secret,
        f"{new_id()}.{secret}",
        f"{key.id}.{secret}x",
        "é",
    ):
        assert shop.proxy.ask("GET", "/api/", headers={"X-API-Key": shown.encode("latin-1")})[0] == 401
    twice = shop.proxy.connect()
    twice.putrequest("GET", "/api/")
    for _ in range(2):
        twice.putheader("X-API-Key", f"{key.id}.{secret}")
    twice.endheaders()
    assert twice.getresponse().status == 401
    twice.close()
    assert not shop.monolith.heard


def test_rotated_expired_and_revoked_keys(shop):
    old, new = new_secret(), new_secret()
    now = time.time()
    shop.policies(OPEN)
    key = made(new, old=digest_of(old), old_until=now + 60)
    assert shop.keys(key) == 200
    assert [shop.ask(f"{key.id}.{secret}")[0] for secret in (old, new)] == [200, 200]
    assert shop.keys(replace(key, old_until=now - 1), after=1, revision=2) == 200
    assert [shop.ask(f"{key.id}.{secret}")[0] for secret in (old, new)] == [401, 200]
    assert shop.keys(replace(key, expires=now - 1), after=2, revision=3) == 200
    assert json.loads(shop.ask(f"{key.id}.{new}")[1]) == {"detail": "the key has expired"}
    assert shop.keys(replace(key, revoked=True), after=3, revision=4) == 200
    assert json.loads(shop.ask(f"{key.id}.{new}")[1]) == {"detail": "the key has been revoked"}
    # Whoever has no secret of it learns nothing.
    assert json.loads(shop.ask(f"{key.id}.{new_secret()}")[1]) == {"detail": "the key is not known"}


def test_a_key_is_good_for_its_routes_and_scopes_alone(shop):
    secret = new_secret()
    key = made(secret, routes=("/api/orders/", "/api/products/<pk>/reviews/"), scopes=("read",))
    shop.policies(OPEN, {"path": "/api/orders/old/", "authorize": {"keys": {"scopes": ["read", "write"]}}})
    assert shop.keys(key) == 200
    paths = "/api/orders/7", "/api/products/3/reviews/", "/api/products/3/", "/api/", "/api/orders/old/"
    assert [shop.ask(f"{key.id}.{secret}", path)[0] for path in paths] == [200, 200, 403, 403, 403]
    assert shop.keys(replace(key, scopes=("write", "read", "more")), after=1, revision=2) == 200
    assert shop.ask(f"{key.id}.{secret}", "/api/orders/old/")[0] == 200


def test_keys_have_quotas_by_their_plans_and_buckets_of_their_own(shop):
    secret = new_secret()
    one, two, three = made(secret, plan="small"), made(secret, plan="small"), made(secret, plan="gone")
    throttle = [{"rate": 0.001, "burst": 3, "per": "key"}]
    shop.policies({**OPEN, "throttle": throttle}, plans=[{"name": "small", "per_day": 2, "per_month": 100}])
    assert shop.keys(one, two, three) == 200
    answers = [shop.ask(f"{one.id}.{secret}") for _ in range(4)]
    assert [status for status, *_ in answers] == [200, 200, 429, 429]
    headers = answers[1][2]
    days = monthrange(*datetime.now(UTC).timetuple()[:2])[1]
    assert headers["RateLimit-Policy"] == f'"key";q=3;w=3000, "day";q=2;w=86400, "month";q=100;w={days * 86400}'
    assert headers["RateLimit"].startswith('"key";r=1;t=')
    assert '"day";r=0;t=' in headers["RateLimit"]
    assert json.loads(answers[2][1]) == {"detail": "the quota of the key's plan is used up"}
    assert int(answers[2][2]["Retry-After"]) <= 86_400
    assert json.loads(answers[3][1]) == {"detail": "too many requests"}
    assert shop.ask(f"{two.id}.{secret}")[0] == 200
    assert shop.ask(f"{three.id}.{secret}")[0] == 403
    assert b'strangler_over_quota_total{plan="small"} 1.0' in shop.proxy.operate("GET", "/-/metrics")[1]


def test_pages_of_keys_follow_each_other_and_a_first_page_replaces_all(shop):
    one, two = made("a"), made("b")
    assert shop.keys(one, revision=7) == 200
    assert shop.keys(two, after=8, revision=9) == 409  # something is missing
    assert shop.keys(two, after=6, revision=8) == 200
    assert shop.keys(two, after=6, revision=8) == 200  # somebody else brought it
    assert shop.keys(two, after=6, revision=7) == 409
    stale = KeyPage(after=0, revision=8, replaces=7).to_json()
    assert shop.proxy.operate("PUT", "/-/keys", stale)[0] == 409
    assert json.loads(shop.proxy.operate("GET", "/-/keys")[1]) == {"revision": 8, "count": 2}
    assert shop.keys(revision=3) == 200
    assert json.loads(shop.proxy.operate("GET", "/-/keys")[1]) == {"revision": 3, "count": 0}
    for bad in ({"after": 3, "revision": 2}, {"after": 0, "revision": 1, "keys": [{"id": "x"}]}, [], 3):
        assert shop.proxy.operate("PUT", "/-/keys", bad)[0] == 422
    assert shop.proxy.ask("GET", "/-/keys")[0] == 404
    assert shop.proxy.ask("GET", "/-/usage")[0] == 404


def test_keys_and_uncollected_usage_outlive_the_proxy(tmp_path, monolith, reviews):
    proxy = Proxy(state=tmp_path / "routes.json", monolith=monolith.url)
    proxy.start()
    shop, secret = Shop(proxy, monolith, reviews), new_secret()
    key = made(secret)

    def told():
        return UsageReport.from_json(json.loads(proxy.operate("GET", "/-/usage")[1]))

    try:
        shop.policies(OPEN)
        assert shop.keys(key) == 200
        monolith.answer = lambda request: Said(status=500 if request.path == "/api/bad/" else 200)
        assert [shop.ask(f"{key.id}.{secret}", path)[0] for path in ("/api/", "/api/bad/")] == [200, 500]
        proxy.stop()
        proxy.start()
        assert shop.ask(f"{key.id}.{secret}")[0] == 200
        first, second = told().rows
        assert (first.key, first.requests, first.failed) == (key.id, 2, 1)
        assert (second.requests, second.failed, first.process != second.process) == (1, 0, True)
        assert proxy.operate("PUT", "/-/collected", UsageReport(rows=(first, second)).to_json())[0] == 200
        assert told().rows == ()
        assert shop.ask(f"{key.id}.{secret}")[0] == 200
        assert told().rows == (replace(second, requests=2),)  # the sum since the start, not what came since
        assert proxy.operate("PUT", "/-/collected", {"rows": 3})[0] == 422
    finally:
        proxy.stop()


def test_a_file_of_keys_that_cannot_be_read_is_named_at_the_start(tmp_path):
    (tmp_path / "routes.json.keys").write_text("{}")
    launched = Proxy(state=tmp_path / "routes.json", monolith="http://127.0.0.1:1").launch()
    assert "routes.json.keys" in launched.communicate(timeout=20)[1]
    store = KeyStore.open(tmp_path / "others")
    store.apply(KeyPage(after=0, revision=2, keys=(made("a"),)))
    assert KeyStore.open(tmp_path / "others").ring == store.ring


def test_usage_counts_by_days_and_what_was_collected_is_told_once():
    now = [NOON]
    usage = Usage(clock=lambda: now[0])
    for status in (200, 429, 503):
        usage.came("a")
        usage.answered("a", status)
    first = usage.report()
    assert [(row.requests, row.refused, row.failed) for row in first.rows] == [(3, 1, 1)]
    usage.came("a")
    usage.collected(first)  # it has changed since
    assert [row.requests for row in usage.report().rows] == [4]
    usage.collected(usage.report())
    assert usage.report().rows == ()
    now[0] += 86_400
    usage.came("a")
    usage.came("b")
    assert [(row.key, row.day, row.requests) for row in usage.report().rows] == [
        ("a", "2026-03-01", 1),
        ("b", "2026-03-01", 1),
    ]
    assert len(usage._rows) == 2  # the day before is told, and gone


def test_what_nobody_collects_is_kept_up_to_a_bound_and_told_in_pages(monkeypatch):
    monkeypatch.setattr("strangler_proxy.usage.LARGEST", PAGE + 10)
    usage = Usage(clock=lambda: NOON)
    for number in range(PAGE + 20):
        usage.came(str(number))
    told = []
    while (report := usage.report()).rows:
        usage.collected(report)
        told += [int(row.key) for row in report.rows]
    assert told == list(range(10, PAGE + 20))


def quotas(windows, plan, clock=lambda: NOON):
    known = RouteTable(
        default="monolith",
        upstreams=(Upstream(name="monolith", url="http://127.0.0.1:8001"),),
        gateway=Gateway(plans=(plan,)),
    )
    return Quotas(windows=windows, table=lambda: known, clock=clock)


def visit(key="key_1", plan="small"):
    policy = Gateway(policies=(Policy(path="/", without=("throttle",)),)).policy("GET", "/")
    seen = {"address": "198.51.100.7", "client_key": "", "cookies": [], "authorization": None, "fields": ()}
    seen["routing"] = None  # no step here asks for it
    return Visit(policy=policy, method="GET", target="/", body=b"", key=key, plan=plan, **seen)


def statuses(step, times, **given):
    async def each():
        return [answer.status if (answer := await step.enter(visit(**given))) else 200 for _ in range(times)]

    return asyncio.run(each())


def test_a_day_and_a_month_end_in_utc_and_both_must_have_room():
    now = [NOON]
    step = quotas(OwnWindows(), Plan(name="small", per_day=2, per_month=3), lambda: now[0])
    assert statuses(step, 3) == [200, 200, 429]
    assert statuses(step, 1, key="key_2") == [200]
    assert statuses(step, 1, plan="") == [200]
    now[0] += 12 * 3600 - 1
    assert statuses(step, 1) == [429]
    now[0] += 1  # another day, and another month
    assert statuses(step, 3) == [200, 200, 429]
    now[0] += 86_400
    assert statuses(step, 2) == [200, 429]
    one = visit()
    answer = asyncio.run(step.enter(one))
    assert [(limit.name, limit.left, limit.window) for limit in one.limits] == [
        ("day", 1, 86_400),
        ("month", 0, 31 * 86_400),
    ]
    assert answer.header(b"retry-after") == str(30 * 86_400)


def test_a_plan_may_have_no_quota_or_none_at_all():
    assert statuses(quotas(OwnWindows(), Plan(name="small")), 3) == [200, 200, 200]
    assert statuses(quotas(OwnWindows(), Plan(name="small", per_day=0)), 1) == [429]


def test_a_process_remembers_what_its_runs_before_have_counted_and_forgets_windows_that_are_over(tmp_path):
    now = [NOON]
    plan, path = Plan(name="small", per_day=2, per_month=100), tmp_path / "quotas"
    own = OwnWindows(clock=lambda: now[0])
    assert statuses(quotas(own, plan), 3) == [200, 200, 429]
    remembering.write(path, own.changed())
    assert own.changed() is None
    again = OwnWindows.open(path)
    assert statuses(quotas(again, plan), 1) == [429]
    now[0] += 86_400
    own._changed = True
    assert own.changed() == {}  # it was the month's last day
    path.write_text("[]")
    with pytest.raises(ValueError, match=r'the file ".*quotas" holds no quotas'):
        OwnWindows.open(path)


def test_a_file_that_cannot_be_written_is_tried_again_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(remembering, "EVERY", 0.01)
    path = tmp_path / "away" / "usage"
    path.parent.write_text("a file is in the way")
    told = iter([{"rows": 1}])

    def unwritten():
        return metrics.REGISTRY.get_sample_value("strangler_unwritten_total")

    async def through():
        before, stopped = unwritten(), asyncio.Event()
        keeping = asyncio.create_task(remembering.keep(path, lambda: next(told, None), stopped))
        while unwritten() < before + 2:
            await asyncio.sleep(0.01)
        path.parent.unlink()
        while not path.exists():
            await asyncio.sleep(0.01)
        stopped.set()
        await keeping

    asyncio.run(asyncio.wait_for(through(), 20))
    assert json.loads(path.read_bytes()) == {"rows": 1}


def test_as_many_windows_are_kept_as_said():
    own = OwnWindows()

    async def fill():
        for number in range(LARGEST + 1):
            await own.use([Window(name=str(number), quota=1, ends_in=1)])

    asyncio.run(fill())
    assert len(own._counts) == LARGEST


def test_processes_count_together_in_valkey_and_by_themselves_while_it_is_away(tmp_path):
    port = free_port()
    windows = [Window(name="day", quota=5, ends_in=60), Window(name="month", quota=50, ends_in=600)]

    async def at_once(several, times):
        used = await asyncio.gather(*[several[number % len(several)].use(windows) for number in range(times)])
        return sorted(one.counts for one in used if one.counted), sum(not one.counted for one in used)

    async def through():
        several = [SharedWindows(shared=Shared(valkeys.url(port)), own=OwnWindows()) for _ in range(2)]
        with valkeys.running(tmp_path, port):
            assert await at_once(several, 12) == ([(number, number) for number in range(1, 6)], 7)
        assert await at_once(several, 12) == (sorted([(number, number) for number in range(1, 6)] * 2), 2)

    asyncio.run(through())


def test_a_ring_takes_what_follows_it():
    ring = KeyRing().with_page(KeyPage(after=0, revision=2, keys=(made("a"), made("b"))))
    with pytest.raises(ValueError, match="are at revision 2, and were offered those from 3 to 4"):
        ring.with_page(KeyPage(after=3, revision=4))
    page = KeyPage(after=2, revision=3, keys=(made("c", scopes=("x",), routes=("/a/",), expires=3.0, old="0" * 64),))
    assert KeyPage.from_json(json.loads(json.dumps(page.to_json()))) == page
    assert len(ring.with_page(page).keys) == 3


@pytest.mark.parametrize("given", [{"id": "key_1"}, {"digest": "secret"}, {"scopes": ("a b",)}, {"routes": ("api",)}])
def test_what_is_no_key_is_refused(given):
    with pytest.raises(ValueError, match=r"no key|scope|must begin"):
        made("a", **given)
