"""Header fields on their way: what is taken out, what is added, what stays as it came."""

import pytest
from mitmproxy.http import Headers
from mitmproxy.test import tutils
from strangler_proxy.exchange import begin
from strangler_proxy.forwarding import answered, client_key, end_to_end, forwarded, towards, values
from strangler_proxy.trust import Way

KEY = "A" * 22
HERE = Way(addresses=("::1",), scheme="http", believed=False)
TRACE = b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"


def test_what_the_client_says_stays_byte_by_byte_and_in_order():
    fields = ((b"hOST", b"shop"), (b"X-Odd", b"\xff\xfe"), (b"Cookie", b"a=1"), (b"cookie", b"b=2"), (b"X-Odd", b""))
    assert forwarded(fields, HERE)[: len(fields)] == fields


@pytest.mark.parametrize(
    "name", [b"Strangler-Identity", b"strangler_identity", b"STRANGLER-MOVE", b"Strangler_Refused"]
)
def test_nobody_else_speaks_as_the_proxy(name):
    assert not values(forwarded(((name, b"forged"),), HERE), name.lower())
    assert not values(answered(((name, b"inner"),)), name.lower())


def test_the_way_of_a_request_is_continued_and_not_forged():
    fields = (
        (b"Host", b"shop"),
        (b"X-Forwarded-For", b"203.0.113.9"),
        (b"X_Forwarded_For", b"203.0.113.8"),
        (b"X-Forwarded-Proto", b"https"),
        (b"X-Forwarded-Host", b"bank"),
        (b"Via", b"1.0 first"),
        (b"Forwarded", b"for=203.0.113.9"),
        (b"X_Real_IP", b"203.0.113.9"),
        (b"X-Forwarded-Prefix", b"/bank"),
        (b"traceparent", TRACE),
    )
    sent = forwarded(fields, HERE)
    assert values(sent, b"x-forwarded-for") == ["::1"]
    said = (b"x_forwarded_for", b"forwarded", b"x_real_ip", b"x-forwarded-prefix")
    assert [values(sent, name) for name in said] == [[]] * 4
    assert values(sent, b"x-forwarded-proto") == ["http"]
    assert values(sent, b"x-forwarded-host") == ["shop"]
    assert values(sent, b"via") == ["1.0 first, 1.1 strangler"]
    assert values(sent, b"traceparent") == [TRACE.decode()]


def test_what_trusted_proxies_say_of_the_way_goes_on():
    fields = ((b"X-Forwarded-For", b"forged, 198.51.100.7"), (b"X-Forwarded-Prefix", b"/shop"), (b"Host", b"shop"))
    sent = forwarded(fields, Way(addresses=("198.51.100.7", "10.0.0.1"), scheme="https", believed=True))
    assert values(sent, b"x-forwarded-for") == ["198.51.100.7, 10.0.0.1"]
    assert values(sent, b"x-forwarded-proto") == ["https"]
    assert values(sent, b"x-forwarded-prefix") == ["/shop"]


@pytest.mark.parametrize("given", [b"", b"00-x", TRACE.replace(b"a", b"0"), TRACE + b", " + TRACE])
def test_a_trace_that_is_none_begins_anew(given):
    (trace,) = values(forwarded(((b"traceparent", given),), HERE), b"traceparent")
    assert len(trace) == len(TRACE)
    assert trace.encode() != given


def test_a_service_gets_the_token_the_csrf_cookie_and_no_session():
    fields = ((b"Cookie", b"sessionid=s; csrftoken=c"), (b"Authorization", b"Bearer b"), (b"Accept", b"*/*"))
    cookies = values(fields, b"cookie")
    given = {"move": "0001_x", "cookies": cookies, "token": "t"}
    assert towards(fields, identity=True, **given) == (
        (b"Accept", b"*/*"),
        (b"Strangler-Move", b"0001_x"),
        (b"Cookie", b"csrftoken=c"),
        (b"Strangler-Identity", b"t"),
    )
    assert towards(fields, identity=False, **given) == (*fields, (b"Strangler-Move", b"0001_x"))


def test_hop_by_hop_fields_end_with_their_connection():
    fields = ((b"Connection", b"close"), (b"Transfer-Encoding", b"chunked"), (b"ETag", b"x"))
    assert end_to_end(fields) == ((b"ETag", b"x"),)


def test_a_client_is_known_by_its_cookie_then_by_its_credentials():
    assert client_key([f"a=1; strangler_client={KEY}"], "Bearer b") == (KEY, False)
    assert client_key(["strangler_client=too-short", f"strangler_client={KEY}"], None) == (KEY, False)
    assert client_key([f"not_strangler_client={KEY}"], "Bearer b") == ("Bearer b", False)
    first, second = client_key([], None), client_key([], None)
    assert first[1]
    assert first != second


@pytest.mark.parametrize(
    ("path", "own"),
    [
        (b"/-/table", True),
        (b"/.strangler/identity", True),
        (b"/%2d/table", True),
        (b"//-/table", True),
        (b"/x/../-/table", True),
        (b"/%2Estrangler/x", True),
        (b"-/table", True),
        (b"/api/-/table", False),
        (b"/api/reviews/", False),
        (b"/a.strangler/", False),
    ],
)
def test_a_path_that_could_be_read_as_the_proxys_own_is(path, own):
    assert begin(tutils.treq(path=path), "::1").own is own


@pytest.mark.parametrize(
    ("fields", "large"),
    [
        ([], False),
        ([(b"Content-Length", b"1048576")], False),
        ([(b"Content-Length", b"1048577")], True),
        ([(b"Content-Length", b"many")], True),
        ([(b"Transfer-Encoding", b"gzip, Chunked")], True),
    ],
)
def test_a_body_is_kept_up_to_a_mebibyte(fields, large):
    assert begin(tutils.treq(headers=Headers(fields)), "::1").large is large


@pytest.mark.parametrize(("sent", "told"), [({"Connection": "close"}, "close"), ({}, None)])
def test_a_client_that_sends_no_more_is_told_that_nothing_comes_behind_its_answer(proxy, monolith, sent, told):
    assert proxy.ask("GET", "/", headers=sent)[2]["Connection"] == told
