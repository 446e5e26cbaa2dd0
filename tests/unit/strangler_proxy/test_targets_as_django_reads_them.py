"""A target has one path for the route table and for Django behind gunicorn, or the table does not go by it."""

import pytest
from django.core.handlers.wsgi import get_path_info
from gunicorn.util import split_request_uri, unquote_to_wsgi_str
from hypothesis import example, given, settings
from hypothesis import strategies as st
from strangler_proxy import heads
from strangler_proxy.patterns import segments
from strangler_proxy.routes import MoveRoutes, RouteTable, Upstream, decide

TABLE = RouteTable(
    default="monolith",
    upstreams=(
        Upstream(name="monolith", url="http://127.0.0.1:1"),
        Upstream(name="reviews", url="http://127.0.0.1:2"),
    ),
    moves=(
        MoveRoutes(
            move="m",
            term=2,
            n=0,
            owner="reviews",
            candidate="monolith",
            weight=0,
            routes=("/api/reviews/", "/a/<x>/b/"),
        ),
    ),
)
PIECES = (
    "/",
    "//",
    ".",
    "..",
    "api",
    "reviews",
    "a",
    "b",
    "%2e",
    "%2E%2e",
    "%2f",
    "%5c",
    "%252f",
    "%252e",
    "%00",
    "%0a",
)
MORE = (
    "\\",
    ";x=1",
    "?",
    "?/",
    "%3f",
    "%23",
    "%c0%af",
    "%e2%84%aa",
    "%",
    "%2",
    "%zz",
    "+",
    "@",
    ":",
    "://",
    "A",
    "~",
    "*",
)
TARGETS = st.lists(st.sampled_from((*PIECES, *MORE)), min_size=1, max_size=9).map(lambda parts: "/" + "".join(parts))


def as_django_reads_it(target):
    """Its path, as gunicorn takes it out of the target, and Django out of gunicorn's environment."""
    return get_path_info({"PATH_INFO": unquote_to_wsgi_str(split_request_uri(target).path)})


def is_taken(target):
    return heads.request(f"GET {target} HTTP/1.1\r\nHost: shop\r\n\r\n".encode("latin-1")) is None


@given(TARGETS)
@example("/api/reviews")
@example("/api/reviews%2f..%2forders/")
@example("/api/reviews/%2e%2e/orders/")
@example("//evil/api/reviews/")
@example("/x://y/api/reviews/")
@example("/api?/../reviews/")
@example("/%61pi/%2572eviews/")
@settings(max_examples=400, deadline=None, derandomize=True)
def test_the_route_table_goes_by_the_path_that_django_reads_or_by_none(target):
    if not is_taken(target):
        return
    read = segments(target)
    if read is None:
        assert decide(TABLE, "POST", target, "k").upstream == "monolith"
        return
    path = as_django_reads_it(target)
    # What is no UTF-8 stays encoded for Django, and is no segment of any pattern.
    assert [part if "\ufffd" not in part else None for part in read] == [
        part if "\ufffd" not in mine else None
        for part, mine in zip(path.strip("/").split("/") if path.strip("/") else [], read, strict=True)
    ]


@pytest.mark.parametrize(
    ("target", "upstream"),
    [
        ("/api/reviews/", "reviews"),
        ("/api/reviews", "reviews"),
        ("/%61pi/reviews/", "reviews"),
        ("/api/%72eviews/?a=/../x", "reviews"),
        ("/a/%2561/b/", "reviews"),
        ("/API/reviews/", "monolith"),
        ("/api/orders/../reviews/", "monolith"),
        ("/api/orders/%2e%2e/reviews/", "monolith"),
        ("/api%2freviews/", "monolith"),
        ("/api%252freviews/", "monolith"),
        ("//api/reviews/", "monolith"),
        ("/api//reviews/", "monolith"),
        ("/api/./reviews/", "monolith"),
        ("/api\\reviews/", "monolith"),
        ("/api/reviews%00/", "monolith"),
        ("/api/reviews;x=1/", "monolith"),
    ],
)
def test_tricks_with_the_path_reach_the_default_which_knows_all_routes(target, upstream):
    assert decide(TABLE, "POST", target, "k").upstream == upstream
