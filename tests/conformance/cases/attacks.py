"""What clients say that only the engine or another connection may say, and messages whose host or end is in doubt.

proxy/tests/test_security.py has many more for the Python proxy, which refuses most of what others may mend.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress

from tests.conformance.case import Case, Request, Seen, ask, move, send, table
from tests.conformance.stage import Stage
from tests.conformance.upstream import Says
from tests.conformance.wire import Broken, Fields

_TABLE = table(move("attacks", owner="reviews", candidate="monolith", term=2, final=True))
_PATHS = (("/other/", "GET"), ("/other/", "POST"), ("/api/reviews/", "GET"), ("/api/reviews/", "POST"))

_SPOKEN: tuple[tuple[str, Fields, tuple[str, ...]], ...] = (
    ("a path for gunicorn", (("SCRIPT_NAME", "/api"), ("PATH_INFO", "/x")), ("script_name", "path_info")),
    ("a name with an underscore", (("X_Odd", "evil"),), ("x_odd",)),
    ("the proxy's own in odd letters", (("sTRANGLER-mOVE", "x"), ("Strangler_mOVE", "x")), ("strangler_move",)),
    (
        "a scheme by other names",
        (("X-Forwarded-Ssl", "on"), ("Forwarded", "proto=https")),
        ("x-forwarded-ssl", "forwarded"),
    ),
    (
        "another protocol",
        (("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "x")),
        ("upgrade",),
    ),
    ("credentials for proxies", (("Proxy-Authorization", "Basic eDp5"),), ("proxy-authorization",)),
    ("what speaks of the connection", (("Keep-Alive", "timeout=5"), ("TE", "gzip"), ("Trailer", "X-A")), ("te",)),
)
_NAMED = ("X-Forwarded-For", "X-Forwarded-Host", "Via", "Strangler-Move", "Host", "Content-Length", "Cookie")
_HOSTS = (
    ("two hosts", b"GET /a/ HTTP/1.1\r\nHost: shop.example\r\nHost: evil.example\r\n"),
    ("no host", b"GET /a/ HTTP/1.1\r\n"),
    ("a user in the host", b"GET /a/ HTTP/1.1\r\nHost: shop.example@evil.example\r\n"),
    ("a path in the host", b"GET /a/ HTTP/1.1\r\nHost: shop.example/evil\r\n"),
    ("another host in the target", b"GET http://evil.example/a/ HTTP/1.1\r\nHost: shop.example\r\n"),
    ("a user in the target", b"GET http://shop.example@evil.example/a/ HTTP/1.1\r\nHost: shop.example\r\n"),
    ("a fragment in the target", b"GET /a/#/../b/ HTTP/1.1\r\nHost: shop.example\r\n"),
    ("a target without a slash", b"GET a/ HTTP/1.1\r\nHost: shop.example\r\n"),
    ("CONNECT", b"CONNECT shop.example:80 HTTP/1.1\r\nHost: shop.example:80\r\n"),
    ("CONNECT in small letters", b"connect /tunnel/ HTTP/1.1\r\nHost: shop.example\r\n"),
    ("no path", b"POST * HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\n"),
    ("a control character in the target", b"GET /a/\x7f HTTP/1.1\r\nHost: shop.example\r\n"),
    ("two hosts of another protocol", b"GET /a/ HTTP/2.0\r\nHost: shop.example\r\nHost: evil.example\r\n"),
    ("an older protocol", b"GET /a/ HTTP/0.9\r\nHost: shop.example\r\n"),
)
_NO_LINES = (
    ("lines that end with LF", b"GET /a/ HTTP/1.1\nHost: shop.example\nConnection: close\n\n"),
    (
        "a CR in a value",
        b"GET /a/ HTTP/1.1\r\nHost: shop.example\r\nX-A: b\rStrangler-Move: x\r\nConnection: close\r\n\r\n",
    ),
    (
        "an LF in a value",
        b"GET /a/ HTTP/1.1\r\nHost: shop.example\r\nX-A: b\nStrangler-Move: x\r\nConnection: close\r\n\r\n",
    ),
    (
        "a control character in a value",
        b"GET /a/ HTTP/1.1\r\nHost: shop.example\r\nX-A: b\x7f\x0b\r\nConnection: close\r\n\r\n",
    ),
    (
        "chunks and an empty coding",
        b"POST /a/ HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked,\r\nConnection: close\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunks of an older protocol",
        b"POST /a/ HTTP/1.0\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "a folded value",
        b"GET /a/ HTTP/1.1\r\nHost: shop.example\r\nX-A: b\r\n Strangler-Move: x\r\nConnection: close\r\n\r\n",
    ),
)
_ANSWERS = (
    ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\nok"),
    ("a status that is none", b"HTTP/1.1 2x0 evil\r\nContent-Length: 0\r\n\r\n"),
)


def cases() -> Iterator[Case]:
    for name, fields, gone in _SPOKEN:
        for target, method in _PATHS:
            yield Case(
                name=f"{name}: {method} {target}",
                feature="headers that no client may send",
                table=_TABLE,
                play=ask(
                    Request(method=method, target=target, fields=fields),
                    Seen(upstream=_owner(target), received=dict.fromkeys(gone)),
                ),
            )
    for option in _NAMED:
        yield Case(
            name=f"{option} is named as an option of the connection",
            feature="headers that no client may send",
            table=_TABLE,
            play=_named(option),
        )
    for name, raw in _HOSTS:
        yield Case(
            name=name,
            feature="hosts and targets in doubt",
            table=_TABLE,
            play=_of_one_host(raw + b"Connection: close\r\n\r\n"),
        )
    for name, raw in _NO_LINES:
        yield Case(name=name, feature="hosts and targets in doubt", table=_TABLE, play=_of_one_host(raw))
    for name, raw in _ANSWERS:
        yield Case(name=name, feature="improper answers", table=_TABLE, play=_improper(raw))
    yield Case(
        name="an answer that only informs is not the answer",
        feature="improper answers",
        table=_TABLE,
        play=_informed,
    )


def _named(option: str) -> Callable[[Stage], None]:
    """Refused, or the engine's own word and what frames the message are there all the same."""
    request = Request(
        method="POST", target="/api/reviews/", body=b"x", fields=(("Connection", option), ("Cookie", "a=b"))
    )
    received = {
        "strangler-move": "attacks",
        "x-forwarded-for": r"127\.0\.0\.1(, 127\.0\.0\.1)?",
        "x-forwarded-host": r"shop\.example",
        "host": r"shop\.example",
    }

    def play(stage: Stage) -> None:
        answer = send(stage, request)
        refused = Seen(upstream=None, statuses=(400,))
        (refused if answer.status == 400 else Seen(upstream="reviews", received=received)).check(stage, request, answer)
        for heard in stage.upstreams["reviews"].heard:
            assert (heard.value("connection") or "close").lower() in ("close", "keep-alive"), heard.fields

    return play


def _owner(target: str) -> str:
    return "reviews" if target.startswith("/api/reviews/") else "monolith"


def _of_one_host(raw: bytes) -> Callable[[Stage], None]:
    """Refused, or passed on so that nothing is in doubt any more."""

    absolute = "evil.example" if b"://" in raw else "shop.example"

    def play(stage: Stage) -> None:
        with stage.connect() as connection, suppress(Broken, ConnectionError):
            connection.send(raw)
            connection.answer()
        for upstream in stage.upstreams.values():
            for heard in upstream.heard:
                hosts = [value for name, value in heard.fields if name.lower() == "host"]
                # RFC 9112, 3.2.2: the host of an absolute target may take the place of the field's.
                assert hosts in (["shop.example"], [absolute]), f"passed on as {heard.first} {hosts}"
                assert heard.target == "/a/", heard.first
                assert heard.first.endswith(("HTTP/1.1", "HTTP/1.0")), heard.first
                assert heard.value("strangler-move") is None, heard.fields
                assert not any(re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value) for _, value in heard.fields), heard.fields
                if (coding := heard.value("transfer-encoding")) is not None:
                    assert (coding, heard.first[-8:]) == ("chunked", "HTTP/1.1"), heard.fields

    return play


def _improper(raw: bytes) -> Callable[[Stage], None]:
    def play(stage: Stage) -> None:
        stage.upstreams["monolith"].script = lambda heard: Says(raw=raw)
        with stage.connect() as connection:
            connection.send(Request(method="POST", target="/other/").head)
            answer = connection.head()
        assert answer.status in (502, 503), answer.first
        assert "evil" not in answer.first, answer.first

    return play


def _informed(stage: Stage) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    stage.upstreams["monolith"].script = lambda heard: Says(
        raw=early + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfinal"
    )
    with stage.connect() as connection:
        connection.send(Request().head)
        answer = connection.answer()
    assert (answer.status, answer.body.start) == (200, b"final"), answer.first
