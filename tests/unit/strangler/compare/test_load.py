import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from strangler.compare.load import offer, saturate
from strangler.compare.wire import Broken, Connection, Request, parse_head

ROOT = [Request(path="/")]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def server(answers):
    """Answers request n of all with what "answers(n)" gives (or an awaitable of it); None cuts the connection."""
    count = 0

    async def serve(reader, writer):
        nonlocal count
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                answer = answers(count)
                count += 1
                answer = await answer if asyncio.iscoroutine(answer) else answer
                if answer is None:
                    break
                writer.write(answer)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[:2]


def offered(answers, due):
    async def play():
        async with server(answers) as address:
            return await offer(address, ROOT, due)

    return asyncio.run(play())


def test_a_stall_is_in_the_latency_of_all_that_was_due_meanwhile():
    """The server stands still for 0.3 s once. A client that waited for its answer would have seen that once."""
    lock = asyncio.Lock()

    async def stalling(number):
        async with lock:
            await asyncio.sleep(0.3 if number == 0 else 0)
        return OK

    samples = offered(stalling, [n / 100 for n in range(40)])
    assert [sample.status for sample in samples] == [200] * 40
    assert sum(sample.latency > 0.1 for sample in samples) >= 18
    late = [sample for sample in samples if sample.due < 0.2]
    assert all(sample.latency >= 0.3 - sample.due - 0.02 for sample in late)


def test_what_the_generator_itself_delays_counts_too():
    async def play():
        async with server(lambda n: OK) as address:
            asyncio.get_running_loop().call_later(0.05, time.sleep, 0.2)
            return await offer(address, [Request(path="/")], [0.01, 0.1, 0.15])

    _, *held_up = asyncio.run(play())
    assert all(sample.lag > 0.05 and sample.latency >= sample.lag for sample in held_up)


def test_failures_are_samples():
    samples = offered(lambda n: None if n == 1 else b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", [0, 0.05])
    assert [(sample.status, sample.good) for sample in samples] == [(500, False), (0, False)]
    assert samples[1].latency == 5.0


def test_nobody_listens_and_it_says_so():
    (sample,) = asyncio.run(offer(("127.0.0.1", 1), [Request(path="/")], [0]))
    assert not sample.good


def test_connections_are_kept_and_closed_ones_left():
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    samples = offered(lambda n: closing if n % 2 else OK, [n / 50 for n in range(6)])
    assert [sample.status for sample in samples] == [200] * 6


def test_saturation_counts_what_is_answered_in_time():
    async def slow(number):
        await asyncio.sleep(0.05)
        return OK

    async def play():
        async with server(slow) as address:
            return await saturate(address, [Request(path="/")], 0.5, 4)

    assert 30 <= asyncio.run(play()) <= 80


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (OK, b"ok"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n",
            b"abcde",
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
)
def test_bodies(answer, body):
    async def play():
        async with server(lambda n: answer) as address:
            connection = await Connection.to(address)
            try:
                return [(await connection.ask(Request(path="/"))).body for _ in range(2)]
            finally:
                connection.close()

    assert asyncio.run(play()) == [body, body]


def test_half_an_answer_is_none():
    async def play():
        async def serve(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
            connection = await Connection.to(listening.sockets[0].getsockname()[:2])
            with pytest.raises(Broken, match="no whole answer to GET /"):
                await connection.ask(Request(path="/"))
            connection.close()

    asyncio.run(play())
    with pytest.raises(ValueError, match="an answer begins with"):
        parse_head(b"SSH-2.0-x\r\n\r\n")


def test_a_request_in_bytes():
    request = Request(path="/a/", method="POST", headers={"X": "1"}, body=b"{}")
    expected = b"POST /a/ HTTP/1.1\r\nHost: h:1\r\nX: 1\r\nContent-Length: 2\r\n\r\n{}"
    assert request.bytes_for(("h", 1)) == expected
