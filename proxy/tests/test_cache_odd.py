"""Headers as nobody should send them break nothing: drawn from pieces that parsers stumble over."""

import asyncio
import random

import pytest
from strangler_proxy.answers import Answer
from test_caching import PATH, Play

NAMES = [b"Cache-Control", b"Vary", b"Age", b"Date", b"Expires", b"ETag", b"Last-Modified", b"Location", b"Set-Cookie"]
NAMES += [b"Cache-Tag", b"Content-Encoding", b"Content-Length", b"Content-Location", b"Pragma", b"Connection"]
ASKED = [b"Cache-Control", b"If-None-Match", b"If-Modified-Since", b"Cookie", b"Accept-Language", b"Pragma", b"Host"]
ASKED += [b"Authorization", b"Range", b"Content-Length", b"Accept-Encoding", b"Origin"]
PIECES = [
    b"max-age",
    b"=",
    b"60",
    b'"',
    b",",
    b";",
    b"*",
    b"-1",
    b"9" * 30,
    b"9" * 5_000,
    b"\xff",
    b"\xed\xa0\x80",
    b"W/",
]
PIECES += [
    b"no-cache",
    b"private",
    b"s-maxage=5",
    b"stale-if-error=9",
    b"Accept",
    b"http://[",
    b"/api/",
    b"\xc3\xa9",
    b" ",
]
PIECES += [b"Thu, 26 Nov 2026 00:00:00 GMT", b"Thu, 99 Foo 99999 99:99:99 GMT", b"0", b"nan", b"1e999", b"", b"public"]
PIECES += ["\u65e5".encode(), "\u0663".encode(), b"\xb2", b"stale-while-revalidate=99999999999999999999"]


def fields(rng, names):
    made = []
    for name in rng.sample(names, rng.randrange(0, 5)):
        made.append((name, b"".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 5)))))
    return tuple(made)


async def play(seed):
    rng = random.Random(seed)
    game = Play(seconds=rng.choice([0, 5]), stale_if_error=rng.choice([0, 50]), stale_while_revalidate=5)

    def answer():
        status = rng.choice([200, 200, 200, 304, 404, 500, 204])
        return Answer(status=status, fields=fields(rng, NAMES), body=rng.choice([b"", b"x", None]))

    for _ in range(60):
        game.passes(rng.choice([0, 1, 30]))
        game.world.answers = [rng.choice([answer(), None]) for _ in range(3)]
        game.world.answers = [
            one and Answer(status=one.status, fields=one.fields, body=b"y") for one in game.world.answers
        ]
        visit = game.world.visit(PATH, method=rng.choice(["GET", "GET", "GET", "HEAD", "POST"]))
        visit.fields += fields(rng, ASKED)
        found = await game.cache.enter(visit)
        if found is None:
            visit.decision = game.world.decide(PATH)
            await game.cache.leave(visit, answer())
            if visit.tee is not None:
                visit.tee(b"x")
                visit.tee(b"")
        for over in visit.ended:
            over()
        # What is fetched meanwhile must not break either.
        await asyncio.gather(*game.cache._refreshing.values())


@pytest.mark.parametrize("seed", range(20))
def test_odd_headers_break_nothing(seed):
    asyncio.run(play(seed))
