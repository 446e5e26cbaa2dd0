"""Sends drawn and mutated streams through a proxy and says what must not be."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from strangler_proxy.gateway import Gateway, Policy, Throttle
from strangler_proxy.routes import MoveRoutes, RouteTable, Upstream

from tests.conformance.engines import LIVE, ROOT, TOKEN, Live, Python
from tests.fuzz.dialects import DIALECTS
from tests.fuzz.inputs import Stream, requests, streams
from tests.fuzz.reference import Dialect
from tests.fuzz.sockets import serve, talk
from tests.fuzz.verdict import Received, Talk, late, wrong

_STREAMS = 24
"""That are made of each drawn example, and sent at the same time."""
_GATEWAY = Gateway(
    revision=1, policies=(Policy(path="/", throttle=(Throttle(rate=1e6, burst=1_000_000, per="address"),)),)
)
"""In force for the second half: every request waits for the chain of steps then."""
_LATE = 10
"""Batches of which something may arrive later than its client waited, on a busy machine."""
_SECONDS_TO_END = 3.0
"""After which the proxy has ended what it did for connections that are over."""
_FIRST = b"POST /api/orders/7/ HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
"""One for the Python proxy, whichever engine it is behind: it does some things from the first one on."""
_CONTROL = b"GET /control/ HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"


@dataclass(kw_only=True)
class Found:
    """What a run came to."""

    seed: int
    sent: int = 0
    streams: int = 0
    gated: int = 0
    """How many had been sent when the gateway's policies came."""
    received: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: str = ""
    seconds: float = 0.0
    tasks: tuple[int, int] = (0, 0)
    """Of the Python proxy, before and after."""
    memory: tuple[int, int] = (0, 0)
    """KiB of the engine's processes, before and after."""

    def __str__(self) -> str:
        upstreams = ", ".join(f"{name} {count}" for name, count in sorted(self.received.items()))
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        return (
            f"seed {self.seed}: {self.sent} requests on {self.streams} connections in {self.seconds:.0f} s; "
            f"received: {upstreams}; answered: {statuses}; tasks {self.tasks[0]} to {self.tasks[1]}, "
            f"memory {self.memory[0]} to {self.memory[1]} KiB; {self.wrong or 'nothing wrong'}"
        )


class _Wrong(Exception):
    pass


class _Enough(BaseException):
    """The run has what it was asked for. Hypothesis lets it through."""


def fuzz(
    *,
    number: int,
    count: int,
    seconds: float,
    engine: str = "mitmproxy",
    dialect: Dialect | None = None,
    package: Path = ROOT / "proxy",
    shrink: bool = True,
) -> Found:
    """Send at least so many requests, or for so long, from a seed; where something is wrong, look for the least of it.

    "package" is where the Python proxy's package is; "dialect" is what the engine may take, by default DIALECTS'.
    """
    dialect = dialect or DIALECTS[engine]
    found = Found(seed=number)
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        received: list[Received] = []
        unreadable: list[str] = []
        names = ("monolith", "reviews", "orders")
        servers = {name: runner.run(serve(name, received, unreadable, dialect)) for name in names}
        ports = {name: server.sockets[0].getsockname()[1] for name, server in servers.items()}
        table = _table(ports)
        python = Python(package=package, log=Path(folder) / "log")
        with LIVE[engine].start(Path(folder), "http://127.0.0.1:1", python) as live:
            live.engine.apply(table)
            began = time.monotonic()
            before_these: deque[list[Talk]] = deque(maxlen=_LATE)

            def batch(drawn: list[bytes], chance: int) -> None:
                if not found.wrong and (found.sent >= count or time.monotonic() - began > seconds):
                    raise _Enough
                if not found.gated and not found.wrong and found.sent >= count / 2:
                    live.engine.apply(replace(table, gateway=_GATEWAY))
                    found.gated = found.sent
                talks = [Talk(stream=one, dialect=dialect) for one in streams(drawn, chance, _STREAMS, found.streams)]
                received.clear()
                unreadable.clear()
                control = Talk(stream=Stream(parts=(_CONTROL,), requests=1, plain=True))
                runner.run(_together(live.port, talks, control))
                found.streams += len(talks)
                found.sent += sum(one.stream.requests for one in talks)
                found.received.update(one.upstream for one in received)
                found.statuses.update(answer.status for one in talks for answer in one.answers)
                came_late = late(received, [one for talked in before_these for one in talked])
                on_time = [one for number, one in enumerate(received) if number not in came_late]
                before_these.append(talks)
                accompanied = len(live.processes) > 1
                sentences = [*unreadable, *wrong(table, [*talks, control], on_time, accompanied=accompanied)]
                if any(process.poll() is not None for process in live.processes):
                    sentences = ["the engine has ended"]
                if sentences:
                    found.wrong = "\n".join(sentences[:5])
                    raise _Wrong

            runner.run(_together(live.port, [], Talk(stream=Stream(parts=(_FIRST,), requests=1, plain=True))))
            before = _tasks(live, runner), _memory(live)
            _search(batch, number, (Phase.generate, Phase.shrink) if shrink else (Phase.generate,))
            memory = _memory(live)
            for process in live.processes[1:]:  # it keeps connections to its companion
                process.terminate()
                process.wait(10)
            until = time.monotonic() + _SECONDS_TO_END
            while (tasks := _tasks(live, runner)) > before[0] and time.monotonic() < until:
                runner.run(asyncio.sleep(0.1))
            after = tasks, memory
            found.tasks, found.memory = (before[0], after[0]), (before[1], after[1])
            found.seconds = time.monotonic() - began
        for server in servers.values():
            server.close()
        found.wrong = found.wrong or _complaints(Path(folder)) or _leaked(found)
    return found


def _search(batch: Callable[[list[bytes], int], None], number: int, phases: Sequence[Phase]) -> None:
    drawn = given(st.lists(requests(), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
    run = settings(
        max_examples=1_000_000,
        deadline=None,
        database=None,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )(drawn(batch))
    with suppress(_Wrong, _Enough, Flaky):
        seed(number)(run)()


async def _together(port: int, talks: list[Talk], control: Talk) -> None:
    await asyncio.gather(*(talk(port, one) for one in talks))
    await talk(port, control)


def _table(ports: dict[str, int]) -> RouteTable:
    return RouteTable(
        default="monolith",
        upstreams=tuple(Upstream(name=name, url=f"http://127.0.0.1:{port}") for name, port in ports.items()),
        moves=(
            MoveRoutes(
                move="reviews", term=2, n=0, owner="reviews", candidate="monolith", weight=0, routes=("/api/reviews/",)
            ),
            MoveRoutes(
                move="orders",
                term=1,
                n=0,
                owner="monolith",
                candidate="orders",
                weight=5_000,
                routes=("/api/orders/<n>/",),
            ),
        ),
    )


def _complaints(folder: Path) -> str:
    """What the proxy has logged beside its access log."""
    with (folder / "log").open(errors="replace") as log:
        lines = [line for line in log if not line.startswith('{"time"')]
    return f"the proxy logged: {''.join(lines[:40])}" if lines else ""


def _leaked(found: Found) -> str:
    before, after = found.tasks
    return f"the proxy had {before} tasks and has {after}" if after > before else ""


def _tasks(live: Live, runner: asyncio.Runner) -> int:
    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(live.operators).port)
        head = f"GET /-/metrics HTTP/1.1\r\nHost: proxy\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        told = await reader.read()
        writer.close()
        return told

    (line,) = [line for line in runner.run(ask()).splitlines() if line.startswith(b"strangler_tasks ")]
    return int(float(line.split()[1]))


def _memory(live: Live) -> int:
    return sum(
        int(line.split()[1])
        for process in live.processes
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
        if line.startswith("VmRSS")
    )
