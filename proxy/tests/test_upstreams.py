"""The proxy's own requests, against an upstream that says what a test wants, byte by byte."""

import asyncio
import gzip

import pytest
from mitmproxy.http import Headers, Request
from strangler_proxy.routes import Upstream
from strangler_proxy.upstreams import LONGEST_BODY, Client, TooLong, UpstreamFailed

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Scripted:
    """Gives each connection's requests its answers in turn; None closes without a word, after the last as well."""

    def __init__(self, *connections):
        self.connections = list(connections)
        self.heard = []  # of each connection, its requests

    async def talk(self, reader, writer):
        heard = []
        self.heard.append(heard)
        for answer in self.connections.pop(0):
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            if answer is None:
                break
            writer.write(answer)
        writer.close()


def conversation(scripted, *requests, pause=0.0):
    """What each request came to: its response, or its error."""

    async def talk():
        server = await asyncio.start_server(scripted.talk, "127.0.0.1", 0)
        upstream = Upstream(name="reviews", url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        client, came = Client(), []
        for request in requests:
            try:
                came.append(await client.fetch(upstream, request))
            except UpstreamFailed as error:
                came.append(error)
            await asyncio.sleep(pause)
        server.close()
        return came

    return asyncio.run(talk())


def get(path=b"/a/", fields=(), method="GET"):
    request = Request.make(method, "http://x/", b"", Headers(fields))
    request.data.path = path
    request.headers = Headers(fields)
    return request


def test_path_and_fields_go_as_they_came_but_for_those_of_the_connection():
    scripted = Scripted([OK])
    fields = [(b"hOST", b"shop"), (b"X-Odd", b"a\xff\xfe"), (b"X-Odd", b""), (b"Connection", b"close"), (b"TE", b"x")]
    (came,) = conversation(scripted, get(b"/%7e/\xc3?q=%zz", fields))
    assert (came.status_code, came.content) == (200, b"ok")
    assert scripted.heard == [[b"GET /%7e/\xc3?q=%zz HTTP/1.1\r\nhOST: shop\r\nX-Odd: a\xff\xfe\r\nX-Odd: \r\n\r\n"]]


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"Content-Length: 3\r\n\r\nabc", b"abc"),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", b"abc"),
        (b"\r\nuntil the end", b"until the end"),
        (b"Content-Length: 0\r\n\r\n", b""),
    ],
)
def test_a_body_is_read_however_it_is_framed_and_has_a_length_then(answer, body):
    (came,) = conversation(Scripted([b"HTTP/1.1 200 OK\r\nX-Odd: \xff\r\n" + answer]), get())
    assert came.raw_content == body
    assert came.headers.fields == ((b"X-Odd", b"\xff"), (b"Content-Length", str(len(body)).encode()))


def test_a_compressed_body_stays_compressed():
    body = gzip.compress(b"text")
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    (came,) = conversation(Scripted([answer]), get())
    assert came.raw_content == body


def test_answers_without_a_body_and_interim_ones_leave_the_connection_in_order():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK
    scripted = Scripted([head, b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", early])
    came = conversation(scripted, get(method="HEAD"), get(), get())
    assert [(answer.status_code, answer.raw_content) for answer in came] == [(200, b""), (304, b""), (200, b"ok")]
    assert len(scripted.heard) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200",
        b"nonsense\r\n\r\n",
        None,
    ],
)
def test_what_is_no_proper_answer_is_a_failure(answer):
    (came,) = conversation(Scripted([answer]), get())
    assert isinstance(came, UpstreamFailed)


def test_where_nobody_listens_there_is_no_answer():
    async def ask():
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await Client().fetch(Upstream(name="reviews", url=f"http://127.0.0.1:{port}"), get())

    with pytest.raises(UpstreamFailed, match="there is no connection to reviews"):
        asyncio.run(ask())


def test_reads_share_a_connection_and_get_another_where_it_was_closed_just_now():
    scripted = Scripted([OK, OK, None], [OK])
    came = conversation(scripted, get(), get(), get())
    assert [answer.status_code for answer in came] == [200, 200, 200]
    assert [len(heard) for heard in scripted.heard] == [3, 1]


def test_a_connection_that_was_closed_meanwhile_is_not_used():
    scripted = Scripted([OK], [OK])
    came = conversation(scripted, get(), get(), pause=0.05)
    assert [answer.status_code for answer in came] == [200, 200]
    assert [len(heard) for heard in scripted.heard] == [1, 1]


def test_what_an_upstream_says_unasked_is_nobodys_answer():
    scripted = Scripted([OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged", OK], [OK])
    came = conversation(scripted, get(), get(), pause=0.05)
    assert [answer.content for answer in came] == [b"ok", b"ok"]
    assert [len(heard) for heard in scripted.heard] == [1, 1]


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 3000000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n2dc6c0\r\n", b"\r\n"]
)
def test_an_answer_that_is_too_long_to_be_kept_is_given_up(framing):
    (came,) = conversation(Scripted([b"HTTP/1.1 200 OK\r\n" + framing + bytes(2 * LONGEST_BODY)]), get())
    assert isinstance(came, TooLong)
