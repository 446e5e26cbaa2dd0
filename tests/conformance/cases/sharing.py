"""Which share of the reads goes to the candidate: by buckets that are the same on every engine."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

from strangler_proxy.routes import CANDIDATE, bucket, decide

from tests.conformance.case import Case, Request, Seen, ask, move, send, table
from tests.conformance.stage import Stage
from tests.conformance.upstream import Says

_PATH = "/api/reviews/"
_WEIGHTS = (1, 500, 2500, 5000, 7500, 9999, 10_000)
_KEY = r"[A-Za-z0-9_-]{22}"
_COOKIE = rf"strangler_client={_KEY}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"


def cases() -> Iterator[Case]:
    for weight in _WEIGHTS:
        yield from _split(weight)
    yield from _keys()
    yield from _failing()


def _split(weight: int) -> Iterator[Case]:
    given = table(move(f"canary_{weight}", weight=weight))
    for key in (*_keys_around(weight), *(_key(number) for number in range(12))):
        side = decide(given, "GET", _PATH, key).upstream
        request = Request(target=_PATH, fields=(("Cookie", f"theme=dark; strangler_client={key}"),))
        yield Case(
            name=f"weight {weight}, bucket {bucket(key)}: the {side}",
            feature="weights and buckets",
            table=given,
            play=ask(request, Seen(upstream=side, answered={"set-cookie": None})),
        )


def _keys() -> Iterator[Case]:
    given = table(move("canary_keys", weight=5000))
    for number in range(6):
        authorization = f"Bearer program-{number}"
        side = decide(given, "GET", _PATH, authorization).upstream
        yield Case(
            name=f"a program without cookies, bucket {bucket(authorization)}: the {side}",
            feature="weights and buckets",
            table=given,
            play=ask(
                Request(target=_PATH, fields=(("Authorization", authorization),)),
                Seen(upstream=side, answered={"set-cookie": None}),
            ),
        )
    for cookie in ("strangler_client=short", "strangler_client=", f"other={'a' * 22}", f"xstrangler_client={'a' * 22}"):
        yield Case(
            name=f'no key in "{cookie}": the client gets one',
            feature="stickiness",
            table=table(move("canary_none", weight=0)),
            play=ask(Request(target=_PATH, fields=(("Cookie", cookie),)), Seen(answered={"set-cookie": _COOKIE})),
        )
    for target, given_one, expected in (
        (_PATH, "a client's first read of a move", _COOKIE),
        ("/other/", "a client outside of all moves", None),
    ):
        yield Case(
            name=f"{given_one}: {'a key' if expected else 'no key'}",
            feature="stickiness",
            table=table(move("canary_first", weight=0)),
            play=ask(Request(target=target), Seen(answered={"set-cookie": expected})),
        )
    first, second = _key(1), next(_key(n) for n in range(2, 99) if (bucket(_key(n)) < 5000) != (bucket(_key(1)) < 5000))
    for name, fields in (
        ("two keys in one field", (("Cookie", f"strangler_client={first}; strangler_client={second}"),)),
        ("two keys in two fields", (("Cookie", f"strangler_client={first}"), ("Cookie", f"strangler_client={second}"))),
        ("a broken key before one", (("Cookie", f"strangler_client=x; strangler_client={first}"),)),
        ("a key before credentials", (("Cookie", f"strangler_client={first}"), ("Authorization", "Bearer x"))),
    ):
        side = decide(given, "GET", _PATH, first).upstream
        play = ask(Request(target=_PATH, fields=fields), Seen(upstream=side))
        yield Case(name=f"{name}: the first that is one", feature="stickiness", table=given, play=play)
    for weight in (5000, 10_000):
        yield Case(
            name=f"weight {weight}: a new client stays where its first read went",
            feature="stickiness",
            table=table(move(f"canary_stays_{weight}", weight=weight)),
            play=_stays,
        )


def _stays(stage: Stage) -> None:
    answer = send(stage, Request(target=_PATH))
    cookie = (answer.value("set-cookie") or "").partition(";")[0]
    assert cookie.startswith("strangler_client="), cookie
    first = answer.body
    for _ in range(5):
        again = send(stage, Request(target=_PATH, fields=(("Cookie", cookie),)))
        assert again.body == first, f"{again.body} after {first}"


def _failing() -> Iterator[Case]:
    key = next(_key(number) for number in range(999) if bucket(_key(number)) < 5000)
    given = table(move("canary_fails", weight=5000))
    cookie = (("Cookie", f"strangler_client={key}"),)
    assert decide(given, "GET", _PATH, key).cohort == CANDIDATE
    for status in (502, 503, 504):
        yield Case(
            name=f"the candidate says {status}: the owner answers",
            feature="a canary's fallback",
            table=given,
            play=_falls_back(Request(target=_PATH, fields=cookie), Says(status=status)),
        )
    broken = Says(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")
    for name, says in (("breaks off", broken), ("says nothing", Says(raw=b"")), ("is no HTTP", Says(raw=b"hello\r\n"))):
        yield Case(
            name=f"the candidate {name}: the owner answers",
            feature="a canary's fallback",
            table=given,
            play=_falls_back(Request(target=_PATH, fields=cookie), says),
        )
    yield Case(
        name="nobody is at the candidate: the owner answers",
        feature="a canary's fallback",
        table=table(move("canary_nobody", weight=10_000, candidate="nobody")),
        play=ask(Request(target=_PATH, fields=cookie), Seen()),
    )
    yield Case(
        name="what the candidate says itself is passed on",
        feature="a canary's fallback",
        table=given,
        play=ask(
            Request(target=_PATH, fields=cookie),
            Seen(upstream="reviews", statuses=(404,)),
            {"reviews": Says(status=404)},
        ),
    )


def _falls_back(request: Request, says: Says) -> object:
    def play(stage: Stage) -> None:
        stage.upstreams["reviews"].script = lambda heard: says
        answer = send(stage, request)
        assert (answer.status, answer.body.start) == (200, b"monolith"), f"{answer.first} {answer.body}"

    return play


def _key(number: int) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(str(number).encode()).digest())[:22].decode()


def _keys_around(weight: int) -> Iterator[str]:
    """Keys in the buckets on both sides of the two edges."""
    wanted = {edge + side for edge in (weight, 2 * weight) for side in (-1, 0)} & set(range(10_000))
    number = 100
    while wanted:
        key, number = _key(number), number + 1
        if bucket(key) in wanted:
            wanted.remove(bucket(key))
            yield key
