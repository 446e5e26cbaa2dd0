"""Which route a path is under, and who owns its reads and writes: what decide() says, of many paths and methods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from strangler_proxy.routes import RouteTable, decide

from tests.conformance.case import Case, Request, Seen, ask, move, table

_MOVES = (
    move("0001_reviews", "/api/reviews/", "/api/products/<pk>/reviews/", owner="reviews", candidate="monolith"),
    move("0002_literal", "/api/reviews/ratings/", "/shop/<area>/special/", owner="orders", candidate="monolith"),
    move("0003_deep", "/a/<b>/c/<d>/e/", "/a/b/<c>/d/", owner="reviews", candidate="orders"),
    move("0004_deeper", "/a/b/c/", "/<any>/only/here/", "/tilde~/x.y_z-1/", owner="orders", candidate="reviews"),
    move("0005_kept", "/shop/", "/api/reviews/ratings/<pk>/old/", owner="monolith", candidate="reviews"),
)
_LIVE = table(*_MOVES)
_FINAL = table(*(replace(each, final=True) for each in _MOVES))
_PRECEDENCE = (
    *("/api/reviews/", "/api/reviews/7/", "/api/reviews/7/votes/", "/api/reviews/ratings/"),
    *("/api/reviews/ratings/7/", "/api/reviews/ratings/7/old/", "/api/reviews/ratings/7/new/"),
    *("/api/products/9/reviews/", "/api/products/9/", "/api/products/reviews/", "/api/products/9/reviews/3/"),
    *("/api/products/9/8/reviews/", "/shop/", "/shop/x/", "/shop/x/special/", "/shop/special/"),
    *("/shop/x/y/special/", "/shop/special/special/", "/", "/api/", "/a/", "/a/b/", "/a/b/c/", "/a/b/c/d/"),
    *("/a/b/c/d/e/", "/a/x/c/d/e/", "/a/b/x/d/", "/a/b/x/d/e/", "/a/b/c/x/e/", "/a/x/c/d/", "/a/x/c/d/f/"),
    *("/a/b/c/x/f/", "/x/only/here/", "/api/only/here/", "/only/here/", "/x/only/there/", "/a/only/here/"),
    *("/tilde~/x.y_z-1/", "/tilde~/x.y_z-1/more/", "/tilde/x.y_z-1/"),
)
_BOUNDARIES = (
    *("/api/reviews", "/api/reviewsandmore/", "/api/review", "/api/reviews.json", "/api/reviews;v=1/"),
    *("/api/reviews?", "/api/reviews/?page=2&q=/shop/", "/api/reviews?next=/shop/", "/api/products/9/reviews"),
    *("/shop", "/shopping/", "/API/reviews/", "/api/Reviews/", "/api/reviews/ratings", "/api/reviews/ratingsx/"),
    *("/x/shop/", "/a/b/c", "/a", "/api/reviews/?x=..", "/shop/?a=//", "/shop/x/special", "/a/b/c?d/e"),
    *("/api/reviews/=/", "/api/reviews/,/", "/?/api/reviews/", "/api?/reviews/", "/api/reviews/&x=1/"),
    *("/api/reviews/:x@y!$'()*+/",),
)
_ENCODINGS = (
    *("/api/%72eviews/", "/%61pi/reviews/", "/api/reviews%2F7/", "/api/reviews%2f", "/api%2Freviews/"),
    *("/api/%2572eviews/", "/api/reviews/%2e/", "/api/reviews/%2E%2e/", "/api/%2e%2e/shop/", "/api/reviews%00/"),
    *("/api/reviews/%00", "/shop%3F/", "/api/reviews%20/", "/api/reviews/%5C/", "/api/reviews/%5c..%5c/"),
    *("/shop/%C3%A9/special/", "/shop/%ff/special/", "/shop/%/special/", "/shop/%zz/special/", "/shop/%2/special/"),
    *("/api/products/%3Cpk%3E/reviews/", "/a/%3C%3E/c/1/e/", "/api/products/%2525/reviews/", "/api/reviews%3Fx/"),
    *("/api/reviews%23x/", "/api/reviews/%09/", "/%2Fapi/reviews/", "/tilde%7E/x.y_z-1/"),
    *("/tilde%7e/x%2Ey%5Fz%2d1/", "/api/reviews/%C0%AF/", "/api/reviews/%E2%82%AC/"),
)
_SEGMENTS = (
    *("//", "//api/reviews/", "/api//reviews/", "/api/reviews//", "/api/reviews//7/", "/api/reviews/./"),
    *("/api/./reviews/", "/api/reviews/../", "/api/reviews/../reviews/", "/shop/../api/reviews/"),
    *("/../api/reviews/", "/./api/reviews/", "/api/reviews/..", "/api/reviews/.", "/shop/x/../special/"),
    *("/api/reviews/...", "/shop/.../special/", "///", "/api/reviews/.x/", "/api/reviews/x./", "/a/b/..c/d/"),
    *("/a//b/c/",),
)
_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "PURGE", "REPORT")
_METHOD_PATHS = ("/api/reviews/7/", "/shop/x/", "/api/reviews/ratings/", "/other/", "/api/reviews/../x/")


def cases() -> Iterator[Case]:
    """Expected is whom decide() names, and that the path arrives as it was sent."""
    for feature, paths in (
        ("precedence and backtracking", _PRECEDENCE),
        ("segment boundaries and queries", _BOUNDARIES),
        ("percent-encoding", _ENCODINGS),
        ("dot and empty segments", _SEGMENTS),
    ):
        for path in paths:
            for method in ("GET", "POST"):
                yield _case(feature, _FINAL, method, path)
    for given in (_FINAL, _LIVE):
        for method in _METHODS:
            for path in _METHOD_PATHS:
                yield _case("methods", given, method, path)
    for path in _PRECEDENCE:
        yield _case("precedence and backtracking", _LIVE, "PATCH", path)


def _case(feature: str, given: RouteTable, method: str, path: str) -> Case:
    owner = decide(given, method, path, "").upstream
    body = b"a body" if method in ("POST", "PUT", "PATCH") else b""
    request = Request(method=method, target=path, body=body)
    return Case(
        name=f"{method} {path} goes to {owner}{'' if given is _FINAL else ', under moves that go on'}",
        feature=feature,
        table=given,
        play=ask(request, Seen(upstream=owner)),
    )
