"""What can happen to a part, each as something that is really done to its processes, and can be undone."""

from __future__ import annotations

import enum
import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress

import psycopg

from strangler.compare.arms import Arm
from strangler.compare.processes import go_on, halt

_RUNS, _RESTS = 0.01, 0.09
_HALF_REQUESTS = 64
"""More than a server of ours has threads, so that each of its workers gets as many as it has."""


class Fault(enum.StrEnum):
    """What is done."""

    SLOWED = "slowed"  # it runs a tenth of the time
    KILLED = "killed"  # kill -9, and nobody starts it again
    CUT_OFF = "cut off"  # halted: connections are accepted, nothing is answered, as behind a cable that is cut
    FILLED = "filled"  # what it holds things in has no room: see FILLED below


FILLED = {
    "orchard": "half a request in each of its threads",
    "reviews": "half a request in each of its threads",
    "notifications": "half a request in each of its threads",
    "database": "refuses to write, as with a full disk",
    "broker": "no memory left for another message",
    "aws": "SNS, SQS and SES answer 503",
}
"""What filled means, by part; others cannot be filled from outside."""
_PARTS = (
    *("proxy", "orchard", "orchard-database", "reviews", "notifications", "reviews-database"),
    *("worker", "notifications-worker", "broker", "payment", "aws"),
)


def parts_of(arm: Arm) -> list[str]:
    """The parts whose failing is looked at, as far as this arm has them."""
    have = {process.name for process in arm.processes()} | {f"{name}-database" for name in arm.kind.databases}
    return [part for part in _PARTS if part in have]


def faults_of(part: str) -> list[Fault]:
    return [fault for fault in Fault if fault is not Fault.FILLED or _kind(part) in FILLED]


@contextmanager
def holding(arm: Arm, part: str, fault: Fault) -> Iterator[None]:
    """Have it happen while the context is open; the part is as it was, and started again, once it is left."""
    with _MAKERS[fault](arm, part):
        yield


@contextmanager
def _slowed(arm: Arm, part: str) -> Iterator[None]:
    stop, roots = threading.Event(), arm.roots((part,))

    def jerk() -> None:
        while not stop.is_set():
            halt(roots)
            time.sleep(_RESTS)
            go_on(roots)
            time.sleep(_RUNS)

    jerking = threading.Thread(target=jerk, name=f"slow {part}", daemon=True)
    jerking.start()
    try:
        yield
    finally:
        stop.set()
        jerking.join()
        go_on(roots)


@contextmanager
def _killed(arm: Arm, part: str) -> Iterator[None]:
    arm.kill(part)
    try:
        yield
    finally:
        arm.revive(part)


@contextmanager
def _cut_off(arm: Arm, part: str) -> Iterator[None]:
    roots = arm.roots((part,))
    halt(roots)
    try:
        yield
    finally:
        go_on(roots)


@contextmanager
def _filled(arm: Arm, part: str) -> Iterator[None]:
    with _FILLERS[_kind(part)](arm, part):
        yield


@contextmanager
def _threads_taken(arm: Arm, part: str) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(_HALF_REQUESTS):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", arm.instance.ports[part]), timeout=5))
            half.sendall(b"GET /health/ HTTP/1.1\r\nHost: 127")
        yield


@contextmanager
def _read_only(arm: Arm, part: str) -> Iterator[None]:
    dsn = arm.instance.database(part.removesuffix("-database")).dsn()

    def say(statement: str) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(statement)
            connection.execute("SELECT pg_reload_conf()")

    say("ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        yield
    finally:
        say("ALTER SYSTEM RESET default_transaction_read_only")


@contextmanager
def _no_memory(arm: Arm, part: str) -> Iterator[None]:
    def configure(limit: int) -> None:
        with socket.create_connection(("127.0.0.1", arm.instance.ports[part]), timeout=5) as broker:
            broker.sendall(f"CONFIG SET maxmemory {limit}\r\n".encode())
            broker.recv(100)

    configure(1)
    try:
        yield
    finally:
        configure(0)


@contextmanager
def _throttled(arm: Arm, part: str) -> Iterator[None]:
    def behave(**how: object) -> None:
        for service in ("sns", "sqs", "ses"):
            body = json.dumps({"service": service, **how}).encode()
            request = urllib.request.Request(f"{arm.instance.url(part)}/behaviour", body, method="PUT")  # noqa: S310
            with suppress(OSError):
                urllib.request.urlopen(request, timeout=5).close()  # noqa: S310

    behave(status=503)
    try:
        yield
    finally:
        behave()


def _kind(part: str) -> str:
    return "database" if part.endswith("-database") else part


_Maker = Callable[[Arm, str], AbstractContextManager[None]]
_MAKERS: dict[Fault, _Maker] = {
    Fault.SLOWED: _slowed,
    Fault.KILLED: _killed,
    Fault.CUT_OFF: _cut_off,
    Fault.FILLED: _filled,
}
_FILLERS: dict[str, _Maker] = {
    "orchard": _threads_taken,
    "reviews": _threads_taken,
    "notifications": _threads_taken,
    "database": _read_only,
    "broker": _no_memory,
    "aws": _throttled,
}
