"""Policies of the gateway that keep or change messages: the same on every engine, most by way of its companion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from strangler_proxy.gateway import Body, Cache, Gateway, Message, Policy, Transform, Version, Versions
from strangler_proxy.gateway import Fields as Changes

from tests.conformance.case import Case, Request, Seen, ask, move, send, table
from tests.conformance.stage import Stage
from tests.conformance.upstream import Says
from tests.conformance.wire import Body as Content
from tests.conformance.wire import Fields

_JSON = ("Content-Type", "application/json")
_FRESH = ("Cache-Control", "max-age=60")
_OLD = Transform(
    path="/api/reviews/<pk>/",
    query=Changes(rename={"page_no": "page"}),
    request=Message(headers=Changes(set={"X-Shape": "new"}), json=Body(move={"stars": "rating"})),
    response=Message(headers=Changes(remove=("X-Inner",)), json=Body(move={"rating": "stars"})),
)
_VERSIONS = Versions(known=(Version(name="v1", path="/legacy/", deprecated="2026-01-31"), Version(name="v2")))
# Revision 0: it binds no case that comes after.
_GATEWAY = Gateway(
    policies=(
        Policy(path="/api/reviews/", cache=Cache(ignore_cookies=("theme",))),
        Policy(path="/api/old/<pk>/", transform=_OLD),
        Policy(path="/shop/", versions=_VERSIONS),
    )
)
_TABLE = replace(table(move("gateway")), gateway=_GATEWAY)
_FINAL = replace(table(move("gateway_final", final=True)), gateway=_GATEWAY)

_SHARED: tuple[tuple[str, Fields, Fields, bool], ...] = (
    ("a fresh answer", (), (_FRESH,), True),
    ("a cookie that does not matter", (("Cookie", "theme=dark"),), (_FRESH,), True),
    ("a session", (("Cookie", "sessionid=1"),), (_FRESH,), False),
    ("credentials", (("Authorization", "Bearer x"),), (_FRESH,), False),
    (
        "credentials and a public answer",
        (("Authorization", "Bearer x"),),
        (("Cache-Control", "public, max-age=60"),),
        True,
    ),
    ("a header by which a stranger could choose", (("X-Original-URL", "/admin/"),), (_FRESH,), False),
    ("a part", (("Range", "bytes=0-1"),), (_FRESH,), False),
    ("a private answer", (), (("Cache-Control", "private, max-age=60"),), False),
    ("an answer that sets a cookie", (), (_FRESH, ("Set-Cookie", "a=b")), False),
    ("an answer that says nothing", (), (), False),
    ("an answer for one language", (("Accept-Language", "de"),), (_FRESH, ("Vary", "Accept-Language")), True),
    ("an answer that depends on everything", (), (_FRESH, ("Vary", "*")), False),
)


def cases() -> Iterator[Case]:
    for number, (name, sent, said, kept) in enumerate(_SHARED):
        for given, kind in ((_TABLE, "a move"), (_FINAL, "a final move")):
            yield Case(
                name=f"{name}, {kind}: {'kept' if kept else 'asked for again'}",
                feature="cache",
                table=given,
                play=_twice(f"/api/reviews/{number}/", sent, said, kept=kept),
            )
    for name, play in (
        ("a write makes its target be asked for again", _written),
        ("another owner is asked himself", _switched),
        ("who has written gets nothing older", _own),
    ):
        yield Case(name=name, feature="cache", table=_TABLE, play=play)
    yield from _transformed()
    yield from _versions()


def _twice(target: str, sent: Fields, said: Fields, *, kept: bool) -> object:
    def play(stage: Stage) -> None:
        stage.upstreams["monolith"].script = lambda heard: Says(fields=said, body=b"one")
        answers = [send(stage, Request(target=target, fields=sent)) for _ in range(2)]
        assert [answer.body for answer in answers] == [Content.of(iter((b"one",)))] * 2
        heard = len(stage.upstreams["monolith"].heard)
        assert heard == (1 if kept else 2), f"asked {heard} times"

    return play


def _written(stage: Stage) -> None:
    stage.upstreams["monolith"].script = lambda heard: Says(fields=(_FRESH,))
    for method in ("GET", "GET", "POST", "GET"):
        send(stage, Request(target="/api/reviews/written/", method=method))
    methods = [heard.method for heard in stage.upstreams["monolith"].heard]
    assert methods == ["GET", "POST", "GET"], methods


def _switched(stage: Stage) -> None:
    for upstream in stage.upstreams.values():
        upstream.script = lambda heard: Says(fields=(_FRESH,))
    request = Request(target="/api/reviews/switched/")
    for _ in range(2):
        send(stage, request)
    (one,) = stage.table.moves
    stage.apply(replace(stage.table, moves=(replace(one, term=2, owner="reviews", candidate="monolith"),)))
    for _ in range(2):
        send(stage, request)
    assert [len(stage.upstreams[name].heard) for name in ("monolith", "reviews")] == [1, 1]


def _own(stage: Stage) -> None:
    stage.upstreams["monolith"].script = lambda heard: Says(fields=(_FRESH,))
    read = "/api/reviews/own/"
    send(stage, Request(target=read))
    marks = [
        value
        for name, value in send(stage, Request(target="/api/reviews/", method="POST")).fields
        if name.lower() == "set-cookie"
    ]
    cookies = "; ".join(mark.partition(";")[0] for mark in marks)
    for fields in ((("Cookie", cookies),), ()):
        send(stage, Request(target=read, fields=fields))
    methods = [heard.method for heard in stage.upstreams["monolith"].heard]
    assert methods == ["GET", "POST", "GET"], methods


def _transformed() -> Iterator[Case]:
    for name, request, seen, says in (
        (
            "a path, a query and a header",
            Request(target="/api/old/7/?page_no=2"),
            Seen(target="/api/reviews/7/?page=2", received={"x-shape": "new"}, answered={"x-inner": None}),
            Says(fields=(("X-Inner", "1"),), body=b"monolith"),
        ),
        (
            "the JSON of an answer",
            Request(target="/api/old/8/", fields=(("Accept-Encoding", "gzip"),)),
            Seen(
                target="/api/reviews/8/",
                received={"accept-encoding": "identity"},
                body=Content.of(iter((b'{"stars":4}',))),
            ),
            Says(fields=(_JSON,), body=b'{"rating": 4}'),
        ),
        (
            "the JSON of an answer in chunks",
            Request(target="/api/old/9/"),
            Seen(target="/api/reviews/9/", body=Content.of(iter((b'{"stars":4}',)))),
            Says(fields=(_JSON,), body=b'{"rating": 4}', chunked=True),
        ),
        (
            "an answer in JSON that is too long",
            Request(target="/api/old/10/"),
            Seen(target="/api/reviews/10/", statuses=(502,)),
            Says(fields=(_JSON,), size=3_000_000),
        ),
        (
            "a refusal's JSON stays",
            Request(target="/api/old/11/"),
            Seen(target="/api/reviews/11/", statuses=(400,), body=Content.of(iter((b'{"rating": "no"}',)))),
            Says(status=400, fields=(_JSON,), body=b'{"rating": "no"}'),
        ),
        (
            "a request that is no JSON goes nowhere",
            Request(target="/api/old/12/", method="POST", fields=(_JSON,), body=b"{"),
            Seen(upstream=None, statuses=(400,)),
            Says(),
        ),
    ):
        yield Case(name=name, feature="transform", table=_TABLE, play=ask(request, seen, {"monolith": says}))
    yield Case(name="the JSON of a request", feature="transform", table=_TABLE, play=_request)


def _request(stage: Stage) -> None:
    send(stage, Request(target="/api/old/13/", method="POST", fields=(_JSON,), body=b'{"stars": 5}'))
    (heard,) = stage.upstreams["monolith"].heard
    assert heard.target == "/api/reviews/13/", heard.first
    assert heard.body == Content.of(iter((b'{"rating":5}',))), f"received {heard.body}"


def _versions() -> Iterator[Case]:
    for target, seen in (
        ("/shop/v1/x/?a=b", Seen(target="/legacy/x/?a=b", answered={"deprecation": "@1769817600"})),
        ("/shop/v2/x/", Seen(target="/shop/x/", answered={"deprecation": None})),
        ("/shop/v3/x/", Seen(upstream=None, statuses=(404,))),
        ("/shop/x/", Seen(upstream=None, statuses=(404,))),
    ):
        yield Case(
            name=f"{target}: {seen.target or 404}",
            feature="versions",
            table=_TABLE,
            play=ask(Request(target=target), seen),
        )
