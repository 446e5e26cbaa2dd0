"""The cache as one step, with upstreams and a clock that a test plays."""

import asyncio
import time
from email.utils import formatdate

import pytest
from gate import World, said, table
from strangler_proxy.gateway import Cache, Policy
from strangler_proxy.steps.caching import Caching

SECOND = 1_000_000_000
PATH = "/api/reviews/"


class Play:
    """A cache, its clock, and what is behind it. Requests are named by their target and header."""

    def __init__(self, cache=None, most=1 << 20, **kept):
        self.policy = cache or Cache(**kept)
        self.world = World(table(Policy(path="/", cache=self.policy)))
        self.now = SECOND
        self.cache = Caching(most=most, clock=lambda: self.now)
        self.cache.table_changed(self.world.table)

    def passes(self, seconds):
        self.now += int(seconds * SECOND)

    async def ask_async(self, answer, target=PATH, headers=None, during=lambda: None, **how):
        visit = self.world.visit(target, headers, **how)
        found = await self.cache.enter(visit)
        if found is None:
            during()
            visit.decision = self.world.decide(visit.target)
            found = await self.cache.leave(visit, answer)
        for over in visit.ended:
            over()
        return found

    def ask(self, answer=None, target=PATH, headers=None, **how):
        """What the client gets; "answer" is the upstream's, if it comes to be asked the ordinary way."""
        return asyncio.run(self.ask_async(answer or said(body=b"asked the upstream"), target, headers, **how))


def fresh(body=b"one", seconds=60, **headers):
    return said(body=body, **{"Cache_Control": f"max-age={seconds}", **headers})


def status(answer):
    return answer.header(b"cache-status")


def test_a_fresh_answer_serves_the_next_one_with_its_age():
    play = Play()
    assert status(play.ask(fresh())) == "strangler; fwd=uri-miss; stored"
    play.passes(20)
    again = play.ask()
    assert (again.body, again.header(b"age"), status(again)) == (b"one", "20", "strangler; hit; ttl=40")
    play.passes(40)
    assert play.ask().body == b"asked the upstream"


def test_the_log_says_that_it_was_the_cache():
    play = Play()
    play.ask(fresh())
    visit = play.world.visit(PATH)
    assert asyncio.run(play.cache.enter(visit)).body == b"one"
    assert str(visit.decision) == "monolith (the cache, for: read from the owner of m)"


def test_an_age_of_caches_before_it_counts():
    play = Play()
    play.ask(fresh(Age="50"))
    assert play.ask().header(b"age") == "50"
    play.passes(11)
    assert play.ask().body == b"asked the upstream"
    old = formatdate(time.time() - 100, usegmt=True)
    play.ask(said(Date=old, Expires=formatdate(time.time() + 100, usegmt=True)), target="/dated/")
    assert 98 <= int(play.ask(target="/dated/").header(b"age")) <= 101


@pytest.mark.parametrize(
    "answer",
    [
        said(body=b"no word of it"),
        fresh(Set_Cookie="a=b"),
        said(Cache_Control="max-age=60, private"),
        said(Cache_Control="max-age=60, no-store"),
        fresh(Vary="*"),
        said(500, Cache_Control="max-age=60"),
        said(400, Cache_Control="max-age=60"),
        said(206, Cache_Control="max-age=60"),
        said(Expires="0"),
        fresh(Vary="\u65e5"),
        fresh(Vary="a b"),
    ],
)
def test_what_may_not_be_shared_is_not_kept(answer):
    play = Play()
    assert "stored" not in status(play.ask(answer))
    assert play.ask().body == b"asked the upstream"


def test_the_policy_says_how_long_where_the_answer_does_not():
    play = Play(seconds=10)
    play.ask(said(body=b"one"))
    assert play.ask().body == b"one"
    play.ask(said(body=b"one", Cache_Control="no-store"), target="/other/")
    assert play.ask(target="/other/").body == b"asked the upstream"


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"Cookie": "theme=dark; sessionid=1"}, "the cookie sessionid"),
        ({"Cookie": 'a"b=1'}, "a cookie"),
        ({"Cache-Control": "no-store"}, "no-store"),
        ({"Range": "bytes=0-1"}, "the header range"),
        ({"X-Original-URL": "/admin/"}, "the header x-original-url"),
        ({"X-Http-Method-Override": "DELETE"}, "the header x-http-method-override"),
        ({"Content-Length": "3"}, "a body"),
    ],
)
def test_a_request_that_could_get_another_answer_goes_past_and_leaves_nothing(headers, why):
    play = Play(ignore_cookies=("theme",))
    first = play.ask(fresh(b"poison"), headers=headers)
    assert status(first) == f'strangler; fwd=bypass; detail="{why}"'
    assert play.ask(fresh(b"clean")).body == b"clean"
    assert play.ask(headers=headers).body == b"asked the upstream"


def test_what_does_not_matter_is_not_sent_on_so_that_it_cannot_matter():
    play = Play(ignore_cookies=("theme",), ignore_headers=("X-Request-Id",))
    visit = play.world.visit(PATH, {"Cookie": "theme=dark; strangler_client=x", "X-Request-Id": "7"})
    assert asyncio.run(play.cache.enter(visit)) is None
    assert dict(visit.fields) == {b"Host": b"shop"}
    assert visit.cookies == ["strangler_client=x"]


def test_a_path_that_looks_like_a_picture_is_no_less_somebodys_own():
    """Web cache deception: a victim is led to /account/x.css, which the server answers as /account/."""
    play = Play(seconds=60)
    for target in ("/account/x.css", "/account/;x.css", "/account/%0ax.css"):
        play.ask(fresh(b"my address"), target=target, headers={"Cookie": "sessionid=victim"})
        play.ask(fresh(b"my address"), target=target, headers={"Authorization": "Bearer victim"})
        assert play.ask(target=target).body == b"asked the upstream"


def test_answers_to_who_is_authorized_are_shared_only_where_they_say_so():
    play = Play()
    credentials = {"Authorization": "Bearer a"}
    play.ask(fresh(), headers=credentials)
    assert play.ask().body == b"asked the upstream"
    play.ask(said(body=b"for all", Cache_Control="public, max-age=60"), target="/p/", headers=credentials)
    assert play.ask(target="/p/").body == b"for all"


def test_hosts_origins_and_named_headers_have_answers_of_their_own():
    play = Play(key_headers=("X-Shop",))
    play.ask(fresh(b"one"))
    for headers in ({"Host": "evil"}, {"Origin": "https://evil"}, {"X-Shop": "2"}, {"X-Forwarded-Proto": "https"}):
        assert play.ask(headers=headers).body == b"asked the upstream"
    assert play.ask(target=f"{PATH}?x=1").body == b"asked the upstream"


def test_vary_tells_answers_apart():
    play = Play()
    play.ask(fresh(b"de", Vary="Accept-Language"), headers={"Accept-Language": "de"})
    other = play.ask(fresh(b"en", Vary="Accept-Language"), headers={"Accept-Language": "en"})
    assert status(other).startswith("strangler; fwd=vary-miss")
    assert [play.ask(headers={"Accept-Language": one}).body for one in ("de", "en")] == [b"de", b"en"]


def test_who_cannot_decode_an_answer_does_not_get_it():
    play = Play()
    play.ask(fresh(b"packed", Content_Encoding="gzip"), headers={"Accept-Encoding": "gzip"})
    assert play.ask(headers={"Accept-Encoding": "gzip"}).body == b"packed"
    assert play.ask().body == b"asked the upstream"


def test_a_client_that_has_it_already_is_told_so():
    play = Play()
    play.ask(fresh(ETag='"a"', Content_Type="text/plain"))
    again = play.ask(headers={"If-None-Match": 'W/"a"'})
    assert (again.status, again.body, again.header(b"etag"), again.header(b"content-type")) == (304, b"", '"a"', None)
    assert play.ask(headers={"If-None-Match": '"b"'}).status == 200
    assert play.ask(method="HEAD").header(b"content-length") == "3"


def test_a_stale_answer_is_confirmed_by_its_upstream():
    play = Play()
    play.ask(fresh(ETag='"a"', X_Note="old"))
    play.passes(61)
    play.world.answers = [said(304, ETag='"a"', Cache_Control="max-age=30", X_Note="new")]
    confirmed = play.ask(headers={"If-None-Match": '"mine"'})
    assert (confirmed.status, confirmed.body, confirmed.header(b"x-note")) == (200, b"one", "new")
    assert status(confirmed) == "strangler; fwd=stale; fwd-status=304"
    assert play.world.asked[0][b"If-None-Match"] == b'"a"'
    play.passes(29)
    assert play.ask().body == b"one"
    play.passes(2)
    play.world.answers = [fresh(b"two")]
    assert play.ask().body == b"two"
    assert play.ask().body == b"two"


def test_a_304_of_something_else_does_not_renew_an_answer():
    play = Play()
    play.ask(fresh(ETag='"a"'))
    play.passes(61)
    play.world.answers = [said(304, ETag='"b"')]
    assert play.ask().body == b"asked the upstream"


def test_a_stale_answer_serves_while_a_new_one_is_fetched():
    async def scene():
        play = Play()
        await play.ask_async(said(body=b"one", Cache_Control="max-age=10, stale-while-revalidate=20"))
        play.passes(15)
        play.world.answers = [fresh(b"two")]
        first = await asyncio.gather(*(play.ask_async(said(body=b"never")) for _ in range(3)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return first, await play.ask_async(said(body=b"never")), play.world.asked

    first, then, asked = asyncio.run(scene())
    assert [one.body for one in first] == [b"one"] * 3
    assert status(first[0]) == "strangler; hit; ttl=-5"
    assert (then.body, len(asked)) == (b"two", 1)


@pytest.mark.parametrize("failure", [None, said(503)])
def test_a_stale_answer_serves_where_the_upstream_fails(failure):
    play = Play(stale_if_error=100)
    play.ask(fresh(ETag='"a"'))
    play.passes(70)
    play.world.answers = [failure, failure]
    assert play.ask().body == b"one"
    play.passes(100)
    assert play.ask().body == b"asked the upstream"


def test_who_must_revalidate_gets_nothing_stale():
    play = Play(stale_if_error=100, stale_while_revalidate=100)
    play.ask(said(body=b"one", Cache_Control="max-age=10, must-revalidate", ETag='"a"'))
    play.passes(11)
    play.world.answers = [None]
    assert play.ask().body == b"asked the upstream"


@pytest.mark.parametrize(
    "said_so", [{"Cache-Control": "no-cache"}, {"Cache-Control": "max-age=5"}, {"Pragma": "no-cache"}]
)
def test_a_client_may_want_it_confirmed(said_so):
    play = Play()
    play.ask(fresh(ETag='"a"'))
    play.passes(6)
    play.world.answers = [fresh(b"two")]
    assert play.ask(headers=said_so).body == b"two"


def test_a_client_may_want_nothing_but_the_cache():
    play = Play()
    assert play.ask(headers={"Cache-Control": "only-if-cached"}).status == 504


def test_equal_questions_are_asked_once():
    async def scene():
        play, asked = Play(), []

        async def ask():
            return await play.ask_async(fresh(b"one"), during=lambda: asked.append(1))

        async def slow():
            visit = play.world.visit(PATH)
            assert await play.cache.enter(visit) is None
            await asyncio.sleep(0.01)
            visit.decision = play.world.decide(PATH)
            return await play.cache.leave(visit, fresh(b"slow"))

        return await asyncio.gather(slow(), ask(), ask()), asked

    answers, asked = asyncio.run(scene())
    assert ([one.body for one in answers], asked) == ([b"slow"] * 3, [])
    assert status(answers[1]) == "strangler; fwd=uri-miss; collapsed"


def test_who_waited_for_an_answer_that_is_nobody_elses_asks_itself():
    async def scene():
        play = Play()
        private = play.ask_async(said(body=b"mine", Cache_Control="private"))
        return await asyncio.gather(private, play.ask_async(fresh(b"own")))

    assert [one.body for one in asyncio.run(scene())] == [b"mine", b"own"]


def test_who_asks_what_had_no_shared_answer_last_time_waits_for_nobody():
    async def scene():
        play = Play()
        await play.ask_async(said(body=b"mine", Cache_Control="private"))
        first, second = play.world.visit(PATH), play.world.visit(PATH)
        return await play.cache.enter(first), await asyncio.wait_for(play.cache.enter(second), 1)

    assert asyncio.run(scene()) == (None, None)


def test_bodies_on_their_way_stay_within_the_caches_bytes():
    async def scene():
        play = Play(most=10_000)
        visits = [play.world.visit(f"/{number}/") for number in range(5)]
        for visit in visits:
            await play.cache.enter(visit)
            visit.decision = play.world.decide(visit.target)
            await play.cache.leave(visit, said(body=None, Cache_Control="max-age=60"))
            visit.tee(b"x" * 3_000)
        for visit in visits:
            visit.tee(b"")
            for over in visit.ended:
                over()
        return len(play.cache.store)

    assert asyncio.run(scene()) == 2  # of 4,000 bytes each in the store


def test_a_write_takes_what_is_cached_at_its_target_and_what_was_on_its_way():
    play = Play()
    play.ask(fresh())
    play.ask(fresh(), target="/new/")
    play.ask(said(500), method="POST")
    assert play.ask().body == b"one"
    play.ask(said(201, Location="http://["), method="PUT", target="/elsewhere/")
    play.ask(said(201, Location="http://shop/new/"), method="POST")
    assert [play.ask(target=target).body for target in (PATH, "/new/")] == [b"asked the upstream"] * 2

    async def scene():
        visit = play.world.visit("/late/")
        await play.cache.enter(visit)
        await play.ask_async(said(200), target="/late/", method="PUT")
        visit.decision = play.world.decide("/late/")
        await play.cache.leave(visit, fresh(b"of before"))

    asyncio.run(scene())
    assert play.ask(target="/late/").body == b"asked the upstream"


def test_who_has_written_gets_nothing_older():
    play = Play(stale_while_revalidate=1_000)
    play.ask(fresh(b"before", ETag='"a"'))
    play.world.when["m"] = play.now + 1
    assert status(play.ask(fresh(b"after"))).startswith('strangler; fwd=request; detail="behind')
    play.passes(1)
    play.ask(fresh(b"after"))
    assert play.ask().body == b"after"
    play.world.when["m"] = play.now
    play.passes(70)
    assert play.ask().body == b"asked the upstream"


def test_a_canarys_sides_and_a_moves_versions_share_nothing():
    play = Play()
    play.ask(fresh(b"the owner's"))
    play.world.table = table(Policy(path="/", cache=play.policy), weight=10_000)
    assert play.ask(fresh(b"the candidate's")).body == b"the candidate's"
    assert len(play.cache.store) == 2
    newer = table(Policy(path="/", cache=play.policy), version=(2, 0))
    play.cache.table_changed(newer)
    assert (len(play.cache.store), play.cache.store.size) == (0, 0)


def test_an_answer_decided_before_a_switch_is_not_kept_after_it():
    play = Play()

    def switch():
        play.world.table = table(Policy(path="/", cache=play.policy), version=(2, 0))
        play.cache.table_changed(play.world.table)

    play.ask(fresh(b"old"), during=switch)
    assert len(play.cache.store) == 0


def test_routes_that_come_to_a_move_and_other_policies_purge_too():
    play = Play()
    play.ask(fresh(), target="/api/orders/1/")
    play.ask(fresh(), target="/elsewhere/")
    policy = Policy(path="/", cache=play.policy)
    play.cache.table_changed(table(policy, routes=("/api/orders/",)))
    assert len(play.cache.store) == 1
    play.cache.table_changed(table(policy, revision=2))
    assert len(play.cache.store) == 0


def test_operators_purge_by_route_and_by_tag():
    play = Play(tags=("shop",))
    play.ask(fresh(Cache_Tag="p1, p2"), target="/api/reviews/1/")
    play.ask(fresh(Cache_Tag="p2"), target="/api/reviews/2/")
    play.ask(fresh(), target="/elsewhere/")
    assert [play.cache.purge(tag="p1"), play.cache.purge(route="/api/<x>/"), play.cache.purge(tag="shop")] == [1, 1, 1]
    with pytest.raises(ValueError, match="must begin and end"):
        play.cache.purge(route="api")


def test_the_cache_stays_within_its_bytes_and_forgets_what_was_used_longest_ago():
    play = Play(most=25_000)
    for number in range(40):
        play.ask(fresh(b"x" * 1_000), target=f"/{number}/")
        play.ask(target="/0/")
    assert play.cache.store.size <= 25_000
    assert 5 <= len(play.cache.store) <= 12
    assert play.ask(target="/0/").body == b"x" * 1_000
    assert play.ask(target="/20/").body == b"asked the upstream"
    assert "stored" not in status(play.ask(fresh(Content_Length=str(1 << 21)), target="/large/"))


def test_a_body_that_passes_is_kept_when_it_has_passed_and_not_if_it_breaks_off():
    def stream(play, chunks):
        async def scene():
            visit = play.world.visit(PATH)
            await play.cache.enter(visit)
            visit.decision = play.world.decide(PATH)
            await play.cache.leave(visit, said(body=None, Cache_Control="max-age=60"))
            assert b"".join(visit.tee(chunk) for chunk in chunks) == b"".join(chunks)
            for over in visit.ended:
                over()

        asyncio.run(scene())

    play = Play()
    stream(play, [b"one ", b"half"])
    assert len(play.cache.store) == 0
    stream(play, [b"x" * (1 << 20), b"y", b""])
    assert len(play.cache.store) == 0
    stream(play, [b"one ", b"whole", b""])
    assert play.ask().body == b"one whole"
