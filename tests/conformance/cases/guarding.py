"""Who is let through, and how often: the same behind every engine, whose companion knows it."""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from strangler_proxy.gateway import Authorize, Gateway, Keys, Policy, Session, Throttle, Tokens
from strangler_proxy.gateway.keys import ApiKey, KeyPage, digest_of
from strangler_proxy.routes import RouteTable

from tests.conformance.case import Case, Request, Seen, ask, move, send, table
from tests.conformance.stage import Stage
from tests.conformance.upstream import Says
from tests.conformance.wire import Fields, Message

_AUTHORIZATION, _LIMITS = "authorization", "limits"
_MOVED = move("guarding", owner="reviews", candidate="monolith", term=2, final=True)
_NOBODY = Authorize()
_SECRET = "s" * 43
_KEY = ApiKey(id=f"key_{'0' * 16}", developer="acme", digest=digest_of(_SECRET), scopes=("read",))
_FORGED: Fields = (("Strangler-Subject", "root"), ("Strangler_Subject", "root"), ("Strangler-Way", "key"))


def cases() -> Iterator[Case]:
    yield from _denied()
    yield from _tokens()
    yield from _sessions()
    yield from _keys()
    yield from _limits()


def _guarded(*policies: Policy) -> RouteTable:
    return replace(table(_MOVED), gateway=Gateway(policies=policies))


def _denied() -> Iterator[Case]:
    given = _guarded(
        Policy(path="/", authorize=_NOBODY),
        Policy(path="/shop/", without=("authorize",)),
        Policy(path="/shop/staff/", authorize=_NOBODY),
        Policy(path="/api/reviews/", methods=("GET",), without=("authorize",)),
    )
    denied = Seen(upstream=None, statuses=(403,), answered={"cache-control": "no-store"})
    for method, target, seen in (
        ("GET", "/", denied),
        ("GET", "/account/", denied),
        ("POST", "/account/", denied),
        ("GET", "/shopping/", denied),
        ("GET", "/shop/", Seen()),
        ("POST", "/shop/basket/", Seen()),
        ("GET", "/shop/staff/", denied),
        ("GET", "/shop/%73taff/", denied),
        ("GET", "/shop/staff/7?a=/shop/", denied),
        ("GET", "/api/reviews/7/", Seen(upstream="reviews")),
        ("HEAD", "/api/reviews/7/", Seen(upstream="reviews")),
        ("POST", "/api/reviews/", denied),
        ("DELETE", "/api/reviews/7/", denied),
    ):
        request = Request(method=method, target=target)
        yield Case(name=f"{method} {target}", feature=_AUTHORIZATION, table=given, play=ask(request, seen))
    for target in ("/shop/../account/", "/shop/%2e%2e/account/", "/shop//staff/", "/shop%2Fstaff/", "//shop/"):
        seen = Seen(upstream=None, statuses=(400,))
        yield Case(
            name=f"{target}, which another server could read as another path",
            feature=_AUTHORIZATION,
            table=given,
            play=ask(Request(target=target), seen),
        )
    large = Request(method="POST", target="/account/", size=2_000_000)
    yield Case(name="a body too long to be kept", feature=_AUTHORIZATION, table=given, play=_unread(large))


def _unread(request: Request, status: int = 403) -> Callable[[Stage], None]:
    """An answer that may come while the body is still on its way."""

    def play(stage: Stage) -> None:
        with stage.connect() as connection:
            connection.send(request.head)
            with suppress(ConnectionError):
                for piece in request.content:
                    connection.send(piece)
            assert connection.answer(request.method).status == status
        assert not any(upstream.heard for upstream in stage.upstreams.values())

    return play


def _tokens() -> Iterator[Case]:
    good = {"iss": "https://issuer.example", "aud": "shop", "sub": "ann", "scope": "read"}
    told = {
        "strangler-way": "token",
        "strangler-subject": "ann",
        "strangler-issuer": "https://issuer.example",
        "strangler-scopes": "read",
    }
    let_in = Seen(upstream="reviews", received=told, answered={"cache-control": "private"})
    for name, claims, seen in (
        ("a good token", good, let_in),
        ("a token that has expired", {**good, "exp": 1}, _refused("invalid_token")),
        ("a token for somebody else", {**good, "aud": "bank"}, _refused("invalid_token")),
        ("a token without the scope", {**good, "scope": "write"}, _refused("insufficient_scope", 403)),
    ):
        yield _with_tokens(name, lambda claims=claims: f"Bearer {_token(claims)}", seen)
    yield _with_tokens("a token that is none", lambda: "Bearer x", _refused("invalid_token"))
    yield _with_tokens("other credentials", lambda: "Basic YTpi", _refused())


def _refused(error: str = "", status: int = 401) -> Seen:
    challenge = 'Bearer realm="/api/"' + (f', error="{error}".*' if error else "")
    return Seen(upstream=None, statuses=(status,), answered={"www-authenticate": challenge})


def _with_tokens(name: str, authorization: Callable[[], str], seen: Seen) -> Case:
    def play(stage: Stage) -> None:
        keys = Tokens(
            issuer="https://issuer.example",
            audience=("shop",),
            keys=f"http://127.0.0.1:{stage.upstreams['monolith'].port}/keys.json",
            algorithms=("EdDSA",),
            scopes=("read",),
        )
        stage.apply(_guarded(Policy(path="/api/", authorize=Authorize(tokens=(keys,)))))
        public = jwt.get_algorithm_by_name("EdDSA").to_jwk(_signing().public_key())
        published = json.dumps({"keys": [{**json.loads(public), "kid": "one"}]}).encode()
        stage.upstreams["monolith"].script = lambda heard: Says(body=published)
        request = Request(target="/api/reviews/", fields=(("Authorization", authorization()), *_FORGED))
        answer = send(stage, request)
        stage.upstreams["monolith"].heard.clear()  # who was asked for the keys, perhaps
        seen.check(stage, request, answer)

    return Case(name=name, feature=_AUTHORIZATION, table=_guarded(Policy(path="/api/", authorize=_NOBODY)), play=play)


def _token(claims: dict[str, object]) -> str:
    return jwt.encode({"exp": int(time.time()) + 60, **claims}, _signing(), "EdDSA", headers={"kid": "one"})


@cache
def _signing() -> Ed25519PrivateKey:
    """One for all engines: they remember the issuer's keys by their URL, and all of these are alike."""
    return Ed25519PrivateKey.from_private_bytes(bytes(32))


def _sessions() -> Iterator[Case]:
    given = _guarded(
        Policy(path="/api/", authorize=Authorize(session=Session())),
        Policy(path="/api/staff/", authorize=Authorize(session=Session(staff=True))),
    )
    nobody = Seen(upstream=None, statuses=(401,), answered={"www-authenticate": 'Session realm="/api/.*"'})
    let_in = Seen(received={"strangler-way": "session", "strangler-subject": "7"})
    for name, target, session, seen in (
        ("somebody who is logged in", "/api/", "ann", let_in),
        ("a session that is over", "/api/", "gone", nobody),
        ("nobody", "/api/", "", nobody),
        ("one of the staff", "/api/staff/", "bob", let_in),
        ("somebody who is not of the staff", "/api/staff/", "ann", Seen(upstream=None, statuses=(403,))),
        ("a monolith that does not say who it is", "/api/", "broken", Seen(upstream=None, statuses=(503,))),
    ):
        fields = (("Cookie", f"sessionid={session}"), *_FORGED) if session else _FORGED
        yield Case(
            name=name,
            feature=_AUTHORIZATION,
            table=given,
            play=_asked_of_the_monolith(Request(target=target, fields=fields), seen),
        )


def _asked_of_the_monolith(request: Request, seen: Seen) -> Callable[[Stage], None]:
    def play(stage: Stage) -> None:
        stage.upstreams["monolith"].script = _monolith
        answer = send(stage, request)
        heard = stage.upstreams["monolith"].heard
        heard[:] = [message for message in heard if not message.target.startswith("/.strangler/")]
        seen.check(stage, request, answer)

    return play


def _monolith(heard: Message) -> Says:
    if not heard.target.startswith("/.strangler/identity"):
        return Says(body=b"monolith")
    session = (heard.value("cookie") or "").rpartition("=")[2]
    if session not in ("ann", "bob"):
        return Says(status=500 if session == "broken" else 204)
    claims = base64.urlsafe_b64encode(json.dumps({"sub": "7", "staff": session == "bob"}).encode()).decode().rstrip("=")
    return Says(body=json.dumps({"token": f"e30.{claims}.x", "expires_in": 60}).encode())


def _keys() -> Iterator[Case]:
    given = _guarded(
        Policy(path="/api/", authorize=Authorize(keys=Keys())),
        Policy(path="/api/write/", authorize=Authorize(keys=Keys(scopes=("write",)))),
    )
    unknown = Seen(upstream=None, statuses=(401,), answered={"www-authenticate": "ApiKey .*"})
    told = {"strangler-key": _KEY.id, "strangler-subject": "acme", "x-api-key": None}
    for name, target, shown, key, seen in (
        ("a developer's key", "/api/reviews/", f"{_KEY.id}.{_SECRET}", _KEY, Seen(upstream="reviews", received=told)),
        ("a wrong secret", "/api/reviews/", f"{_KEY.id}.{_SECRET}x", _KEY, unknown),
        ("no key", "/api/reviews/", "", _KEY, unknown),
        ("a key that was revoked", "/api/", f"{_KEY.id}.{_SECRET}", replace(_KEY, revoked=True), unknown),
        ("a key that has expired", "/api/", f"{_KEY.id}.{_SECRET}", replace(_KEY, expires=1.0), unknown),
        ("a key without the scope", "/api/write/", f"{_KEY.id}.{_SECRET}", _KEY, Seen(upstream=None, statuses=(403,))),
    ):
        fields = (("X-API-Key", shown), *_FORGED) if shown else _FORGED
        request = Request(target=target, fields=fields)
        yield Case(name=name, feature=_AUTHORIZATION, table=given, play=_with_key(key, request, seen))


def _with_key(key: ApiKey, request: Request, seen: Seen) -> Callable[[Stage], None]:
    def play(stage: Stage) -> None:
        bring(stage, key)
        seen.check(stage, request, send(stage, request))

    return play


def bring(stage: Stage, key: ApiKey) -> None:
    """Have the engine know this key, and no other."""
    brought: list[int] = []

    def page(revision: int) -> KeyPage | None:
        if brought:
            return None
        brought.append(revision)
        return KeyPage(after=0, revision=revision + 1, keys=(key,), replaces=revision)

    stage.engine.bring_keys(page)


def _limits() -> Iterator[Case]:
    for per in ("address", "route", "client"):
        yield _limited(f"per {per}", per, [()] * 4, [200, 200, 429, 429])
    spoofed: list[Fields] = [(("X-Forwarded-For", f"203.0.113.{number}"),) for number in range(4)]
    yield _limited("per address, however the client calls itself", "address", spoofed, [200, 200, 429, 429])
    clients: list[Fields] = [(("Cookie", f"strangler_client={letter * 22}"),) for letter in "aabbab"]
    yield _limited("per client, by its cookie", "client", clients, [200, 200, 200, 200, 429, 429])
    large = Request(method="POST", target="/api/", size=2_000_000)
    yield _limited("a body too long to be kept", "route", [()] * 2, [200, 200], then=large)


def _limited(name: str, per: str, fields: list[Fields], statuses: list[int], then: Request | None = None) -> Case:
    """Each case with a rate of its own, and so with buckets of its own."""
    rate = 0.001 + (zlib.crc32(name.encode()) % 1000) / 1e7
    given = _guarded(Policy(path="/api/", throttle=(Throttle(rate=rate, burst=2, per=per),)))

    def play(stage: Stage) -> None:
        answers = [send(stage, Request(target="/api/", fields=one)) for one in fields]
        assert [answer.status for answer in answers] == statuses
        assert len(stage.upstreams["monolith"].heard) == statuses.count(200)
        for answer in answers:
            assert (answer.value("ratelimit") or "").startswith(f'"{per}";r=')
            assert (answer.value("retry-after") is None) == (answer.status == 200)
        if then is not None:
            stage.upstreams["monolith"].heard.clear()
            _unread(then, 429)(stage)

    return Case(name=name, feature=_LIMITS, table=given, play=play)
