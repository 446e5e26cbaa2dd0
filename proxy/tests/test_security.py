"""What clients and upstreams may try, byte by byte over real sockets; docs/security.md tells what stands here."""

import pytest
from raw import OK, Raw, said
from world import MOVE, TOKEN, Proxy, table

HOST = b"Host: shop\r\n"
LAST = b"Connection: close\r\n\r\n"
SMUGGLED = b"GET /smuggled/ HTTP/1.1\r\nHost: shop\r\n\r\n"


@pytest.fixture(scope="module")
def upstreams():
    both = Raw(), Raw()
    yield both
    for one in both:
        one.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory, upstreams):
    monolith, reviews = upstreams
    proxy = Proxy(state=tmp_path_factory.mktemp("security") / "routes.json", monolith=monolith.url)
    proxy.start()
    assert (
        proxy.operate("PUT", "/-/table", table(monolith, reviews, term=2, owner="reviews", candidate="monolith"))[0]
        == 200
    )
    yield proxy
    proxy.stop()


@pytest.fixture
def proxy(running, upstreams):
    for upstream in upstreams:
        upstream.heard.clear()
        upstream.script = lambda request: OK
    return running


@pytest.fixture
def monolith(upstreams):
    return upstreams[0]


@pytest.fixture
def reviews(upstreams):
    return upstreams[1]


def get(fields=b"", target=b"/a/", version=b"HTTP/1.1", method=b"GET"):
    return b"%s %s %s\r\n%s%s\r\n" % (method, target, version, HOST, fields)


def post(fields, body=b""):
    return get(fields, method=b"POST") + body


NEVER_REQUESTS = {
    # Two readings of where the body ends.
    "a length and chunks": post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "chunks and a length": post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n" + SMUGGLED),
    "two lengths": post(b"Content-Length: 0\r\nContent-Length: 44\r\n", SMUGGLED),
    "the same length twice": post(b"Content-Length: 0\r\nContent-Length: 0\r\n"),
    "lengths in a list": post(b"Content-Length: 0, 44\r\n", SMUGGLED),
    "a length with a plus": post(b"Content-Length: +0\r\n"),
    "a length with a minus": post(b"Content-Length: -1\r\n"),
    "a length with a nought before it": post(b"Content-Length: 00\r\n"),
    "a length with an underscore": post(b"Content-Length: 4_4\r\n"),
    "a length in other digits": post("Content-Length: ٤\r\n".encode()),
    "a length with spaces in it": post(b"Content-Length: 4 4\r\n"),
    "a length in sixteens": post(b"Content-Length: 0x2c\r\n"),
    "a length that is empty": post(b"Content-Length:\r\n"),
    "a length beyond all numbers": post(b"Content-Length: " + b"9" * 5000 + b"\r\n"),
    "a length beyond all memory, and signed": post(b"Content-Length: -" + b"9" * 30 + b"\r\n"),
    "an unknown coding": post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "identity": post(b"Transfer-Encoding: identity\r\n", b"0\r\n\r\n"),
    "chunks twice": post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"),
    "chunks, then another coding": post(b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n"),
    "two fields of codings": post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n"),
    "a coding behind a vertical tab": post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),
    "a coding in quotes": post(b'Transfer-Encoding: "chunked"\r\n', b"0\r\n\r\n"),
    "a coding with a parameter": post(b"Transfer-Encoding: chunked;a=b\r\n", b"0\r\n\r\n"),
    "a coding that is not ASCII": post("Transfer-Encoding: chun\N{KELVIN SIGN}ed\r\n".encode(), b"0\r\n\r\n"),
    "a coding on a folded line": post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"),
    "a coding whose name has a space": post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
    "chunks in HTTP/1.0": get(b"Transfer-Encoding: chunked\r\n", version=b"HTTP/1.0") + b"0\r\n\r\n",
    # Two readings of where a line ends.
    "lines that end with LF alone": b"GET /a/ HTTP/1.1\nHost: shop\n\n",
    "one line that ends with LF alone": get(b"X-A: b\nX-C: d\r\n"),
    "a CR in a value": get(b"X-A: b\rStrangler-Move: x\r\n"),
    "a CR before a name": get(b"\rX-A: b\r\n"),
    "a nought in a value": get(b"X-A: b\0c\r\n"),
    "a nought in a name": get(b"X\0A: b\r\n"),
    "a control character in a value": get(b"X-A: b\x1fc\r\n"),
    "a folded value": get(b"X-A: b\r\n Strangler-Move: x\r\n"),
    "a line of spaces": get(b"X-A: b\r\n \r\n"),
    "a fold before any field": b"GET /a/ HTTP/1.1\r\n Host: shop\r\n\r\n",
    "a name with a space": get(b"X A: b\r\n"),
    "a name with a space behind it": get(b"X-A : b\r\n"),
    "an empty name": get(b": b\r\n"),
    "a line without a colon": get(b"nonsense\r\n"),
    # Two readings of the first line.
    "HTTP/0.9": b"GET /a/\r\n\r\n",
    "another version": get(version=b"HTTP/2.0"),
    "a version that nobody has": get(version=b"HTTP/1.9"),
    "a version in small letters": get(version=b"http/1.1"),
    "a version of two digits": get(version=b"HTTP/1.10"),
    "two spaces": get(target=b" /a/"),
    "a tab": b"GET\t/a/ HTTP/1.1\r\nHost: shop\r\n\r\n",
    "a vertical tab": b"GET\x0b/a/ HTTP/1.1\r\nHost: shop\r\n\r\n",
    "a space before the method": b" GET /a/ HTTP/1.1\r\nHost: shop\r\n\r\n",
    "a method that is no token": get(method=b"GE(T"),
    "a method that becomes another one in capitals": get(method="OPTIONſ".encode()),
    "a path with a space": get(target=b"/a b/"),
    "a path with a control character": get(target=b"/a\x7f/"),
    "a path that is not ASCII": get(target="/ä/".encode()),
    "a path with a fragment": get(target=b"/a/#/../b/"),
    "a path without a slash": get(target=b"a/"),
    "a star for anything but OPTIONS": get(target=b"*"),
    "CONNECT": get(target=b"shop:80", method=b"CONNECT"),
    "connect to a path": get(method=b"connect"),
    # Two readings of the host.
    "two hosts": get(b"Host: evil\r\n"),
    "the same host twice": get(HOST),
    "no host": b"GET /a/ HTTP/1.1\r\n\r\n",
    "two hosts in one": b"GET /a/ HTTP/1.1\r\nHost: shop, evil\r\n\r\n",
    "a user in the host": b"GET /a/ HTTP/1.1\r\nHost: shop@evil\r\n\r\n",
    "a path in the host": b"GET /a/ HTTP/1.1\r\nHost: shop/evil\r\n\r\n",
    "a host that is not ASCII": "GET /a/ HTTP/1.1\r\nHost: shöp\r\n\r\n".encode(),
    "another host in the target": get(target=b"http://evil/a/"),
    "another port in the target": get(target=b"http://shop:81/a/"),
    "a user in the target": get(target=b"http://shop@evil/a/"),
    "the host before the user in the target": get(target=b"http://evil@shop/a/"),
    "a target whose path is in its query": get(target=b"http://shop?/api/reviews/"),
    "a target without a path": get(target=b"http://shop"),
    "a target of another scheme": get(target=b"ftp://shop/a/"),
}


@pytest.mark.parametrize("sent", NEVER_REQUESTS.values(), ids=NEVER_REQUESTS)
def test_what_two_servers_could_read_differently_is_refused_and_its_connection_ends(proxy, upstreams, sent):
    answer = said(proxy.port, sent + SMUGGLED)
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert answer.count(b"\r\nContent-Length: ") == 1
    assert b"mitmproxy" not in answer
    assert [upstream.heard for upstream in upstreams] == [[], []]


BROKEN_CHUNKS = {
    "a size with a minus": b"-5\r\nhello\r\n0\r\n\r\n",
    "a size with a plus": b"+5\r\nhello\r\n0\r\n\r\n",
    "a size with 0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "a size with an underscore": b"0_5\r\nhello\r\n0\r\n\r\n",
    "a size behind a space": b" 5\r\nhello\r\n0\r\n\r\n",
    "a size that is none": b"hello\r\n0\r\n\r\n",
    "a size that is empty": b"\r\nhello\r\n0\r\n\r\n",
    "a size beyond 64 bits": b"1" + b"0" * 20 + b"\r\nhello\r\n0\r\n\r\n",
    "a size that ends with LF": b"5\nhello\r\n0\r\n\r\n",
    "an extension with LF": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "more than its size": b"3\r\nhello\r\n0\r\n\r\n",
    "less than its size": b"7\r\nhello\r\n0\r\n\r\n",
    "no end of line behind it": b"5\r\nhelloXX0\r\n\r\n",
    "an LF alone behind it": b"5\r\nhello\n0\r\n\r\n",
    "an LF alone behind the last": b"5\r\nhello\r\n0\r\n\n",
    "a trailer that ends with LF": b"5\r\nhello\r\n0\r\nX-A: b\n\r\n",
    "a trailer whose name has a space": b"5\r\nhello\r\n0\r\nX A: b\r\n\r\n",
    "trailers without an end": b"5\r\nhello\r\n0\r\n" + b"X-A: b\r\n" * 20_000,
    "an extension with a CR": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "an extension without an end": b"5;" + b"a" * 100_000,
}


@pytest.mark.parametrize("chunks", BROKEN_CHUNKS.values(), ids=BROKEN_CHUNKS)
def test_a_body_of_broken_chunks_never_becomes_a_request_and_nothing_behind_it_is_read(proxy, upstreams, chunks):
    said(proxy.port, post(b"Transfer-Encoding: chunked\r\n", chunks) + SMUGGLED)
    assert [upstream.heard for upstream in upstreams] == [[], []]


def test_a_header_without_an_end_is_answered_431(proxy, upstreams):
    for endless in (b"X-A: " + b"b" * 70_000, b"X-A: b\r\n" * 9_000, b"\x00" * 70_000):
        assert said(proxy.port, b"GET /a/ HTTP/1.1\r\n" + endless).startswith(b"HTTP/1.1 431 ")
    assert said(proxy.port, get(b"X-A: " + b"b" * 70_000 + b"\r\n")).startswith(b"HTTP/1.1 431 ")
    assert said(proxy.port, get(b"X-A: " + b"b" * 60_000 + b"\r\n" + LAST[:-2])).startswith(b"HTTP/1.1 200 ")
    assert [len(upstream.heard) for upstream in upstreams] == [1, 0]


TAKEN_OUT = {
    "the proxy's own": b"Strangler-Identity: bob\r\nSTRANGLER-MOVE: x\r\nstrangler-shadow: 1\r\nStrangler-: x\r\n",
    "the proxy's own, with underscores": b"Strangler_Identity: bob\r\nSTRANGLER_move: x\r\nStrangler-X_Y: x\r\n",
    "the proxy's own, twice": b"Strangler-Move: x\r\nStrangler-Move: y\r\nStrangler_Move: z\r\n",
    "the proxy's own, named as options": b"Connection: Strangler-Move, close\r\nStrangler-Move: x\r\n",
    "the proxy's own additions, named as options": b"Connection: X-Forwarded-For, Via, Host, X-Forwarded-Host\r\n",
    "what forwards say": b"X-Forwarded-Proto: evil\r\nX-Forwarded-Ssl: evil\r\nForwarded: evil\r\nX-Real-IP: evil\r\n",
    "a path for gunicorn": b"SCRIPT_NAME: evil\r\nPATH_INFO: evil\r\nX_Odd: evil\r\n",
    "an option and what it names": b"Connection: X-Evil\r\nX-Evil: evil\r\nX-EVIL: evil\r\n",
    "another protocol": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: evil\r\n",
    "a websocket and another protocol": b"Connection: Upgrade\r\nUpgrade: websocket, evil\r\n",
    "an upgrade that is none": b"Upgrade: evil\r\n",
    "what speaks of the connection": b"Keep-Alive: evil\r\nTE: evil\r\nTrailer: evil\r\nProxy-Connection: evil\r\n",
    "credentials for proxies": b"Proxy-Authorization: evil\r\n",
}


@pytest.mark.parametrize("fields", TAKEN_OUT.values(), ids=TAKEN_OUT)
def test_no_client_says_what_only_the_proxy_or_another_connection_says(proxy, monolith, fields):
    assert said(proxy.port, get(fields + (b"" if b"close" in fields else LAST[:-2]))).startswith(b"HTTP/1.1 200 ")
    (heard,) = monolith.heard
    lower = heard.lower()
    assert b"strangler-" not in lower.replace(b"_", b"-")
    assert b"evil" not in lower and b"h2c" not in lower and b"bob" not in lower
    assert lower.count(b"\nhost: shop\r") == 1
    for name in (
        b"x-forwarded-for: 127.0.0.1\r",
        b"x-forwarded-host: shop\r",
        b"x-forwarded-proto: http\r",
        b"via: 1.1 strangler\r",
    ):
        assert lower.count(b"\n" + name) == 1
    assert b"\nconnection: upgrade" not in lower


def test_a_move_is_told_once_and_by_the_proxy_alone(proxy, reviews):
    spoofed = b"Connection: close, Strangler-Move\r\nStrangler-Move: other\r\nContent-Length: 0\r\n"
    said(proxy.port, get(spoofed, target=b"/api/reviews/", method=b"POST"))
    (heard,) = reviews.heard
    assert heard.lower().count(b"strangler-move") == 1
    assert b"\r\nStrangler-Move: " + MOVE.encode() + b"\r\n" in heard


def test_an_absolute_target_of_the_same_host_goes_on_as_a_path(proxy, monolith, reviews):
    said(proxy.port, get(LAST[:-2], target=b"http://SHOP/api/reviews/7/?a=b"))
    assert reviews.heard[0].startswith(b"GET /api/reviews/7/?a=b HTTP/1.1\r\n")
    assert not monolith.heard


@pytest.mark.parametrize(
    "target",
    [
        *(b"/-/table", b"http://shop/-/table", b"/%2d/table", b"//-/table", b"/x/../-/table", b"/-/metrics"),
        *(b"/-/holds/0001_reviews", b"/-/arrived/0001_reviews", b"/-/%74able", b"/-//table", b"/-/table?a=b"),
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"PUT", b"DELETE"])
def test_operators_are_known_by_the_whole_secret_alone_however_the_path_is_written(proxy, upstreams, target, method):
    for secret in (b"", b"Bearer", b"Bearer ", b"Bearer " + TOKEN[:-1].encode(), b"Basic " + TOKEN.encode()):
        fields = b"Authorization: %s\r\n" % secret + LAST[:-2]
        assert said(proxy.port, get(fields, target=target, method=method)).startswith(b"HTTP/1.1 404 ")
    assert [upstream.heard for upstream in upstreams] == [[], []]


def test_pipelined_requests_are_answered_once_each_and_in_order(proxy, monolith):
    monolith.script = lambda request: OK[:-2] + request.split(b" ")[1][-3:-1]
    both = get(target=b"/01/") + b"\r\n" + post(b"Content-Length: 3\r\n", b"abc") + get(LAST[:-2], target=b"/02/")
    answers = said(proxy.port, both)
    assert answers.count(b"HTTP/1.1 200 ") == 3
    assert [part[:2] for part in answers.split(b"\r\n\r\n")[1:]] == [b"01", b"/a", b"02"]


@pytest.mark.parametrize("target", [b"/-/table", b"/.strangler/x", b"/a/"])
def test_an_answer_to_head_has_no_body_that_could_be_the_next_answer(proxy, monolith, target):
    monolith.script = lambda request: OK[:-2] if request.startswith(b"HEAD") else OK
    answers = said(proxy.port, get(target=target, method=b"HEAD") + get(LAST[:-2], target=b"/next/"))
    (first, second, body) = answers.split(b"\r\n\r\n")
    assert b"\r\nContent-Length: " in first.replace(b"content-length", b"Content-Length")
    assert second.startswith(b"HTTP/1.1 200 OK")
    assert body == b"ok"


IMPROPER_ANSWERS = {
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\nok",
    "a length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a split header": b"HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: evil=1\r\nContent-Length: 0\r\n\r\n",
    "a split header, by LF": b"HTTP/1.1 200 OK\r\nX-A: b\nSet-Cookie: evil=1\r\nContent-Length: 0\r\n\r\n",
    "a folded header": b"HTTP/1.1 200 OK\r\nX-A: b\r\n evil\r\nContent-Length: 0\r\n\r\n",
    "a status that is none": b"HTTP/1.1 2_00 evil\r\nContent-Length: 0\r\n\r\n",
    "a status with a sign": b"HTTP/1.1 +200 evil\r\nContent-Length: 0\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 evil\r\nContent-Length: 0\r\n\r\n",
    "a reason with a CR": b"HTTP/1.1 200 OK\revil\r\nContent-Length: 0\r\n\r\n",
    "another protocol": b"HTTP/2.0 200 evil\r\nContent-Length: 0\r\n\r\n",
    "a switch that nobody asked for": b"HTTP/1.1 101 evil\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "only answers that inform": b"HTTP/1.1 102 evil\r\n\r\n" * 101,
    "a header without an end": b"HTTP/1.1 200 OK\r\nX-A: " + b"evil" * 70_000,
    "nothing that is HTTP": b"SSH-2.0-evil\r\n\r\n",
}


@pytest.mark.parametrize("answer", IMPROPER_ANSWERS.values(), ids=IMPROPER_ANSWERS)
def test_an_answer_that_is_none_is_a_502_that_tells_nothing_of_it(proxy, monolith, answer):
    monolith.script = lambda request: answer
    came = said(proxy.port, post(b"Content-Length: 0\r\n"))
    assert came.startswith(b"HTTP/1.1 502 ") and b"evil" not in came
    assert came.endswith(b'{"detail": "the upstream gave no proper answer"}')


def test_what_an_upstream_says_beyond_its_answer_is_nobodys(proxy, monolith):
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    monolith.script = lambda request: OK + evil if b"/first/" in request else OK
    answers = said(proxy.port, get(target=b"/first/") + get(LAST[:-2], target=b"/second/"))
    assert answers.count(b"HTTP/1.1 200 ") == 2 and b"evil" not in answers


def test_answers_that_only_inform_are_not_taken_for_the_answer(proxy, monolith):
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    monolith.script = lambda request: early * 3 + OK
    answers = said(proxy.port, get() + get(LAST[:-2]))
    assert answers.count(b"HTTP/1.1 ") == answers.count(b"HTTP/1.1 200 OK") == 2


NO_REFUSALS = {
    "of another status": b"HTTP/1.1 200 OK\r\nStrangler-Refused: move=%s; term=1; replay=1\r\n",
    "of another error": b"HTTP/1.1 502 Bad\r\nStrangler-Refused: move=%s; term=1; replay=1\r\n",
    "of another move": b"HTTP/1.1 503 Busy\r\nStrangler-Refused: move=x%s; term=1; replay=1\r\n",
    "of another shape": b"HTTP/1.1 503 Busy\r\nStrangler-Refused: move=%s; term=1; replay=1; a=b\r\n",
    "in its body": b"HTTP/1.1 503 Busy\r\nX-A: Strangler-Refused: move=%s; term=1; replay=1\r\n",
}


@pytest.mark.parametrize("head", NO_REFUSALS.values(), ids=NO_REFUSALS)
def test_what_is_no_refusal_of_a_fence_has_nothing_sent_again_and_waits_for_nothing(proxy, upstreams, head):
    monolith, reviews = upstreams
    reviews.script = lambda request: head % MOVE.encode() + b"Content-Length: 0\r\n\r\n"
    asked = b"Strangler-Refused: move=%s; term=1; replay=1\r\nContent-Length: 0\r\n" % MOVE.encode()
    answer = said(proxy.port, get(asked + LAST[:-2], target=b"/api/reviews/", method=b"POST"))
    assert answer.split(b" ")[1] == head.split(b" ")[1]
    assert b"\r\nStrangler-" not in answer
    assert (len(monolith.heard), len(reviews.heard)) == (0, 1)


def test_a_refusal_that_has_a_newer_term_is_what_sends_a_write_again(proxy, upstreams):
    _, reviews = upstreams
    refused = b"HTTP/1.1 503 Busy\r\nStrangler-Refused: move=%s; term=1; replay=1\r\nContent-Length: 0\r\n\r\n"
    reviews.script = lambda request: refused % MOVE.encode() if len(reviews.heard) == 1 else OK
    written = get(b"Content-Length: 0\r\n" + LAST[:-2], target=b"/api/reviews/", method=b"POST")
    assert said(proxy.port, written).startswith(b"HTTP/1.1 200 ")
    assert len(reviews.heard) == 2


def test_where_nobody_is_there_the_client_learns_no_address(proxy, monolith, reviews):
    away = Raw()
    away.close()
    moved = table(monolith, away, term=3, owner="reviews", candidate="monolith")
    assert proxy.operate("PUT", "/-/table", moved)[0] == 200
    came = said(proxy.port, get(target=b"/api/reviews/"))
    assert came.startswith(b"HTTP/1.1 502 ") and b"127.0.0.1" not in came
    assert (
        proxy.operate("PUT", "/-/table", table(monolith, reviews, term=4, owner="reviews", candidate="monolith"))[0]
        == 200
    )
