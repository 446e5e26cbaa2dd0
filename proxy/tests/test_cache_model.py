"""The cache beside an origin whose every answer says what it is: nobody gets what is not his, too old, or past."""

import asyncio
import random

import pytest
from gate import World, said, table
from strangler_proxy.gateway import Cache, Policy
from strangler_proxy.steps.caching import Caching

SECOND = 1_000_000_000
LIFETIME = 5
PATHS = ("/api/reviews/1/", "/api/reviews/2/", "/api/reviews/own/")


class Origin:
    """Counts the writes to the move; an answer says the count, the term, its language and for whom it is."""

    def __init__(self, rng, most):
        self.rng = rng
        self.now = SECOND
        self.when = [self.now]  # of each write
        self.last = dict.fromkeys(PATHS, 0)  # write to each path
        self.term = 1
        self.policy = Policy(path="/", cache=Cache(ignore_cookies=("theme",)))
        self.cache = Caching(most=most, clock=lambda: self.now)
        self.worlds = {client: World(None) for client in "abc"}
        self.switch(0)

    def switch(self, steps):
        self.term += steps
        for world in self.worlds.values():
            world.table = table(self.policy, version=(self.term, 0))
        self.cache.table_changed(self.worlds["a"].table)

    def answer(self, path, client, language):
        private = path.endswith("own/")
        body = f"{len(self.when) - 1} {self.term} {language} {client if private else 'all'}".encode()
        caches = "private, max-age=5" if private else f"max-age={LIFETIME}"
        return said(body=body, Cache_Control=caches, Vary="Accept-Language")

    def write(self, path):
        self.when.append(self.now)
        self.last[path] = len(self.when) - 1
        return len(self.when) - 1


async def play(seed):
    rng = random.Random(seed)
    origin = Origin(rng, most=rng.choice([3_000, 1 << 20]))
    wrote = {}
    hits = 0
    for _ in range(120):
        origin.now += rng.choice([1, SECOND // 2, 2 * SECOND])
        path, client, language = rng.choice(PATHS), rng.choice("abc"), rng.choice(["de", "en"])
        world = origin.worlds[client]
        what = rng.random()
        if what < 0.05:
            origin.switch(1)
            continue
        session = path.endswith("own/") and rng.random() < 0.5
        headers = {"Accept-Language": language, "Cookie": f"sessionid={client}" if session else "theme=dark"}
        write = what < 0.25
        visit = world.visit(path, headers, method="POST" if write else "GET", client=client)
        answer = await origin.cache.enter(visit)
        hit = answer is not None
        hits += hit
        if write:
            wrote[client] = origin.write(path)
        if answer is None:
            visit.decision = world.decide(path)
            given = said(200) if write else origin.answer(path, client, language)
            # Another write may come while the answer is on its way.
            if not write and rng.random() < 0.2:
                origin.now += 1
                origin.write(path)
                other = world.visit(path, method="POST")
                assert await origin.cache.enter(other) is None
                await origin.cache.leave(other, said(200))
            answer = await origin.cache.leave(visit, given)
        for over in visit.ended:
            over()
        if write:
            origin.now += 1
            world.when["m"] = origin.now
            continue
        count, term, spoken, whose = answer.body.decode().split()
        assert (int(term), spoken) == (origin.term, language)
        assert whose == (client if path.endswith("own/") else "all")
        assert int(count) >= wrote.get(client, 0)
        if hit:
            assert int(count) >= origin.last[path]
        if int(count) < len(origin.when) - 1:
            assert origin.now - origin.when[int(count) + 1] <= LIFETIME * SECOND
        assert origin.cache.store.size <= origin.cache.most
    return hits


@pytest.mark.parametrize("seed", range(20))
def test_nobody_gets_what_is_not_his_or_too_old_or_older_than_his_own_writes(seed):
    assert asyncio.run(play(seed)) > 3
