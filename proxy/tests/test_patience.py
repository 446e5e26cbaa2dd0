"""Clients that are slow, many, or far ahead, on real sockets; the proxy runs in the test, with little patience."""

import asyncio
from contextlib import asynccontextmanager

from mitmproxy import http
from strangler_proxy.listener import listen
from strangler_proxy.patience import Clients, Patience
from world import free_port

GET = b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def patient(**less):
    return Patience(**{"idle": 60, "header": 60, "body": 60, "every": 0.05, **less})


@asynccontextmanager
async def proxy(hooks=None, **given):
    """The port of a proxy whose upstream answers each request once it is whole."""
    heard = []

    async def answer(reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if b"\r\nContent-Length: " in head:
                    await reader.readexactly(int(head.partition(b"Content-Length: ")[2].partition(b"\r")[0]))
                heard.append(head)
                writer.write(OK)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    upstream = await asyncio.start_server(answer, "127.0.0.1", 0)
    monolith, port = f"http://127.0.0.1:{upstream.sockets[0].getsockname()[1]}", free_port()
    server = await listen("127.0.0.1", port, monolith, hooks or {}, clients=Clients(**given))
    try:
        yield port, heard
    finally:
        server.close()
        upstream.close()


async def rest(reader):
    async with asyncio.timeout(20):
        return await reader.read()


def test_a_header_has_to_come_to_its_end_however_it_drips():
    async def drip():
        async with proxy(patience=patient(header=0.5)) as (port, heard):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(GET)
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
            came = asyncio.create_task(rest(reader))
            writer.write(b"GET / HTTP/1.1\r\nX-A: ")
            while not came.done():
                writer.write(b"b")
                await asyncio.sleep(0.05)
            writer.close()
            return b"" if isinstance(came.exception(), ConnectionError) else came.result(), len(heard)

    came, heard = asyncio.run(drip())
    # A byte that is on its way when the proxy hangs up may reset the connection, and take the answer with it.
    assert came == b"" or came.startswith(b"HTTP/1.1 408 ")
    assert heard == 1


def test_a_body_has_to_go_on_and_its_upstream_is_not_kept_waiting():
    async def stop():
        async with proxy(patience=patient(body=0.3)) as (port, heard):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 100\r\n\r\nand then")
            came = await rest(reader)
            writer.close()
            return came, heard

    assert asyncio.run(stop()) == (b"", [])


def test_who_says_nothing_is_hung_up_and_who_waits_for_an_answer_is_not():
    go_on = asyncio.Event()

    async def wait(flow: http.HTTPFlow):
        await go_on.wait()

    async def idle():
        async with proxy({"request": wait}, patience=patient(idle=0.3, header=0.3, body=0.3)) as (port, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(GET)
            silent, silent_writer = await asyncio.open_connection("127.0.0.1", port)
            assert await rest(silent) == b""
            silent_writer.close()
            await asyncio.sleep(0.6)  # the other one's patience has ended too, as far as it counts
            go_on.set()
            answer = await reader.readuntil(b"ok")
            assert await rest(reader) == b""
            writer.close()
            return answer

    assert asyncio.run(idle()).startswith(b"HTTP/1.1 200")


def test_beyond_the_most_clients_one_is_told_so_until_another_has_gone():
    async def three():
        async with proxy(most=2, patience=patient()) as (port, _):
            writers = []
            for _ in range(2):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(GET)
                await reader.readuntil(b"ok")
                writers.append(writer)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            told = await rest(reader)
            for one in (*writers, writer):
                one.close()
                await one.wait_closed()
            while True:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(GET)
                answer = await reader.readuntil(b"\r\n")
                writer.close()
                if answer.startswith(b"HTTP/1.1 200"):
                    return told

    assert asyncio.run(three()).startswith(b"HTTP/1.1 503 ")


def test_no_more_is_read_of_a_client_than_is_wanted_soon():
    go_on = asyncio.Event()

    async def hold(flow: http.HTTPFlow):
        flow.request.stream = True
        await go_on.wait()

    async def upload(begin, piece):
        async with proxy({"requestheaders": hold}, patience=patient()) as (port, heard):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begin)
            sent = 0
            try:
                async with asyncio.timeout(1.5):
                    while sent < 64 << 20:
                        writer.write(piece)
                        await writer.drain()
                        sent += len(piece)
            except TimeoutError:
                pass
            stopped = sent
            go_on.set()
            while sent < 64 << 20:
                writer.write(piece)
                await writer.drain()
                sent += len(piece)
            answer = await reader.readuntil(b"ok")
            writer.close()
            return stopped, answer, len(heard)

    begin = b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n" % (64 << 20)
    stopped, answer, heard = asyncio.run(upload(begin, bytes(1 << 20)))
    assert stopped < 32 << 20  # what lies in sockets is the kernels' affair
    assert answer.startswith(b"HTTP/1.1 200")
    assert heard == 1


def test_where_all_bodies_take_too_much_the_one_goes_that_has_been_coming_for_the_longest_time():
    begin = b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000000\r\n\r\n" + bytes(400_000)

    async def three():
        async with proxy(patience=patient(kept=1_000_000)) as (port, heard):
            clients = []
            for _ in range(3):
                clients.append(await asyncio.open_connection("127.0.0.1", port))
                clients[-1][1].write(begin)
                await asyncio.sleep(0.4)  # so that they are seen one after the other
            first = await rest(clients[0][0])
            answers = []
            for reader, writer in clients[1:]:
                writer.write(bytes(600_000))
                answers.append(await reader.readuntil(b"ok"))
            for _, writer in clients:
                writer.close()
            return first, answers, len(heard)

    first, answers, heard = asyncio.run(three())
    assert first == b""
    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 200"] * 2
    assert heard == 2


def test_a_client_is_not_hung_up_because_its_upstream_takes_a_body_slowly():
    go_on, size = asyncio.Event(), 32 << 20

    async def slowly(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await go_on.wait()
        await reader.readexactly(size)
        writer.write(OK)

    def stream(flow: http.HTTPFlow):
        flow.request.stream = True

    async def upload():
        upstream = await asyncio.start_server(slowly, "127.0.0.1", 0)
        monolith, port = f"http://127.0.0.1:{upstream.sockets[0].getsockname()[1]}", free_port()
        clients = Clients(patience=patient(body=0.3))
        server = await listen("127.0.0.1", port, monolith, {"requestheaders": stream}, clients=clients)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))
        await asyncio.sleep(1)  # three times its patience, while nobody takes anything
        go_on.set()
        answer = await reader.readuntil(b"ok")
        for one in (writer, server, upstream):
            one.close()
        return answer

    assert asyncio.run(upload()).startswith(b"HTTP/1.1 200")
