"""The header on its way to an upstream and back, redirects included, and who a client is to a service."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.conformance.case import Case, Request, Seen, ask, move, send, table
from tests.conformance.stage import Stage
from tests.conformance.upstream import Says
from tests.conformance.wire import Fields, Message

_TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_NEW_TRACE = r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
_LIVE = table(move("headers"))
_FINAL = table(move("headers_final", final=True))
_MOVED = table(move("headers_moved", owner="reviews", candidate="monolith", term=2))
_WHERE = (
    *(("GET", "/other/", _FINAL), ("POST", "/other/", _FINAL)),
    *(("GET", "/api/reviews/", _FINAL), ("POST", "/api/reviews/", _FINAL), ("POST", "/api/reviews/", _LIVE)),
)

# Behind an engine, its companion is one more on the way.
_CLIENT = r"127\.0\.0\.1(, 127\.0\.0\.1)?"
_VIA = r"1\.1 strangler(, 1\.1 strangler)?"

_REQUESTS: tuple[tuple[str, Fields, dict[str, str | None]], ...] = (
    ("who forwards", (), {"x-forwarded-for": _CLIENT, "x-forwarded-proto": "http", "via": _VIA}),
    ("the host is the client's", (), {"host": r"shop\.example", "x-forwarded-host": r"shop\.example"}),
    ("through whom it came", (("Via", "1.0 fred"),), {"via": rf"1\.0 fred, ?{_VIA}"}),
    (
        "addresses that the client made up",
        (("X-Forwarded-For", "203.0.113.9, 198.51.100.7"), ("X-Forwarded-For", "192.0.2.1")),
        {"x-forwarded-for": _CLIENT},
    ),
    (
        "addresses that the client made up elsewhere",
        (("Forwarded", "for=203.0.113.9"), ("X-Real-IP", "203.0.113.9"), ("X-Forwarded-Port", "1")),
        {"forwarded": None, "x-real-ip": None, "x-forwarded-port": None},
    ),
    (
        "a host and scheme that the client made up",
        (("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "https")),
        {"x-forwarded-host": r"shop\.example", "x-forwarded-proto": "http"},
    ),
    (
        "made up with underscores",
        (
            ("X_Forwarded_Host", "evil.example"),
            ("X_Forwarded_Proto", "https"),
            ("X_Forwarded-For", "203.0.113.9"),
            ("X_Real_IP", "x"),
        ),
        {"x_forwarded_host": None, "x_forwarded_proto": None, "x_forwarded-for": None, "x_real_ip": None},
    ),
    (
        "what only the proxy may say",
        (("Strangler-Identity", "x"), ("strangler-proxy-token", "x"), ("STRANGLER-SHADOW", "1"), ("Strangler-X", "x")),
        {"strangler-identity": None, "strangler-proxy-token": None, "strangler-shadow": None, "strangler-x": None},
    ),
    (
        "the same with underscores",
        (("Strangler_Identity", "x"), ("Strangler_Shadow", "1"), ("strangler_refused", "x")),
        {"strangler_identity": None, "strangler_shadow": None, "strangler_refused": None},
    ),
    ("a trace that begins here", (), {"traceparent": _NEW_TRACE}),
    ("a trace that goes on", (("traceparent", _TRACE),), {"traceparent": _TRACE}),
    ("a trace that is none", (("traceparent", "00-nonsense"),), {"traceparent": _NEW_TRACE}),
    ("a trace of noughts", (("traceparent", f"00-{'0' * 32}-{'0' * 16}-01"),), {"traceparent": r"00-(?!0{32}).*"}),
    ("two traces", (("traceparent", _TRACE), ("traceparent", _TRACE)), {"traceparent": _NEW_TRACE}),
    ("credentials", (("Authorization", "Bearer x"), ("Cookie", "sessionid=s")), {"authorization": "Bearer x"}),
    ("cookies", (("Cookie", "sessionid=s; csrftoken=c"),), {"cookie": "sessionid=s; csrftoken=c"}),
    ("an empty value", (("X-Empty", ""),), {"x-empty": ""}),
    ("a value that is not ASCII", (("X-Name", "Grüße"),), {"x-name": "Grüße"}),
    ("a field twice", (("X-Twice", "a"), ("X-Twice", "b")), {"x-twice": "a, b"}),
    ("a long value", (("X-Long", "x" * 4000),), {"x-long": "x{4000}"}),
    ("an odd name", (("X.Odd!Name", "x"),), {"x.odd!name": "x"}),
    ("conditions and ranges", (("If-None-Match", '"a"'), ("Range", "bytes=0-9")), {"range": "bytes=0-9"}),
)

_ANSWERS: tuple[tuple[str, Fields, dict[str, str | None]], ...] = (
    ("what is inside of us", (("Strangler-Inner", "x"), ("strangler_other", "x")), {"strangler-inner": None}),
    ("the same with underscores", (("strangler_other", "x"),), {"strangler_other": None}),
    ("who passed it on", (), {"via": _VIA}),
    ("who passed it on before", (("Via", "1.0 fred"),), {"via": rf"1\.0 fred, ?{_VIA}"}),
    ("its cookies", (("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2")), {"set-cookie": r"a=1; Path=/, b=2.*"}),
    (
        "how it may be kept",
        (("Cache-Control", "private"), ("ETag", '"a"')),
        {"cache-control": "private", "etag": '"a"'},
    ),
    ("security headers", (("Content-Security-Policy", "default-src 'self'"),), {"content-security-policy": ".*self.*"}),
)

_REDIRECTS = (
    *("/next/", "http://shop.example/next/", "https://elsewhere.example/", "?page=2", "//shop.example/x", "../up/"),
)


def cases() -> Iterator[Case]:
    for method, target, given in _WHERE:
        for name, fields, received in _REQUESTS:
            yield Case(
                name=f"{name}: {method} {target} of {given.moves[0].move}",
                feature="headers of requests",
                table=given,
                play=ask(Request(method=method, target=target, fields=fields), Seen(received=received)),
            )
        for name, fields, answered in _ANSWERS:
            yield Case(
                name=f"{name}: {method} {target} of {given.moves[0].move}",
                feature="headers of answers",
                table=given,
                play=ask(
                    Request(method=method, target=target), Seen(answered=answered), {"monolith": Says(fields=fields)}
                ),
            )
    for number, location in enumerate(_REDIRECTS):
        status = (301, 302, 303, 307, 308, 302)[number]
        yield Case(
            name=f"{status} to {location} is passed on as it is",
            feature="redirects",
            table=_FINAL,
            play=ask(
                Request(target=("/other/", "/api/reviews/")[number % 2]),
                Seen(statuses=(status,), answered={"location": location.replace("?", r"\?")}),
                {"monolith": Says(status=status, fields=(("Location", location),))},
            ),
        )
    yield from _move_header()
    yield from _identity()


def _move_header() -> Iterator[Case]:
    spoofed = (("Strangler-Move", "0009_other"),)
    for method, where, given, upstream, expected in (
        ("POST", "/api/reviews/", _LIVE, "monolith", "headers"),
        ("DELETE", "/api/reviews/7/", _MOVED, "reviews", "headers_moved"),
        ("PUT", "/api/reviews/7/", _FINAL, "monolith", "headers_final"),
        ("GET", "/api/reviews/", _LIVE, "monolith", None),
        ("POST", "/other/", _LIVE, "monolith", None),
    ):
        yield Case(
            name=f"{method} {where}: {'its move is told' if expected else 'no move is told'}",
            feature="headers of requests",
            table=given,
            play=ask(
                Request(method=method, target=where, fields=spoofed),
                Seen(upstream=upstream, received={"strangler-move": expected}),
            ),
        )


_SERVICE = table(move("identity", owner="reviews", candidate="monolith", term=2, final=True), identity=True)


def _identity() -> Iterator[Case]:
    for name, method, fields, received in (
        ("nobody", "GET", (), {"strangler-identity": None, "cookie": None}),
        ("nobody, who writes", "POST", (), {"strangler-identity": None, "strangler-move": "identity"}),
        (
            "a session",
            "GET",
            (("Cookie", "sessionid=ann"),),
            {"strangler-identity": "token of sessionid=ann for reviews", "cookie": None},
        ),
        (
            "a session, with what its CSRF check needs",
            "POST",
            (("Cookie", "a=b; csrftoken=c; sessionid=bob"), ("X-CSRFToken", "c")),
            {"strangler-identity": "token of a=b; csrftoken=c; sessionid=bob for reviews", "cookie": "csrftoken=c"},
        ),
        (
            "credentials",
            "GET",
            (("Authorization", "Basic eDp5"),),
            {"strangler-identity": "token of Basic eDp5 for reviews", "authorization": None},
        ),
        ("a key of ours alone", "GET", (("Cookie", f"strangler_client={'k' * 22}"),), {"cookie": None}),
    ):
        yield Case(
            name=f"a service learns who asks: {name}",
            feature="identity",
            table=_SERVICE,
            play=_as_somebody(Request(method=method, target="/api/reviews/", fields=fields), received),
        )
    yield Case(
        name="the monolith is given the session itself",
        feature="identity",
        table=_SERVICE,
        play=ask(
            Request(fields=(("Cookie", "sessionid=ann"),)),
            Seen(received={"cookie": "sessionid=ann", "strangler-identity": None}),
        ),
    )
    yield Case(
        name="where the monolith does not say who asks, nobody is asked",
        feature="identity",
        table=_SERVICE,
        play=_unknown,
    )


def _as_somebody(request: Request, received: dict[str, str | None]) -> object:
    def play(stage: Stage) -> None:
        stage.upstreams["monolith"].script = _who
        answer = send(stage, request)
        stage.upstreams["monolith"].heard.clear()
        Seen(upstream="reviews", received=received).check(stage, request, answer)

    return play


def _unknown(stage: Stage) -> None:
    stage.upstreams["monolith"].script = lambda heard: Says(status=500)
    answer = send(stage, Request(target="/api/reviews/", fields=(("Cookie", "sessionid=carl"),)))
    assert answer.status == 503, answer.first
    assert not stage.upstreams["reviews"].heard


def _who(heard: Message) -> Says:
    credentials = heard.value("cookie") or heard.value("authorization")
    if heard.target != "/.strangler/identity?audience=reviews" or not heard.value("strangler-proxy-token"):
        return Says(status=404)
    if credentials and credentials.startswith("strangler_client"):
        return Says(status=204)
    return Says(body=json.dumps({"token": f"token of {credentials} for reviews", "expires_in": 60}).encode())
