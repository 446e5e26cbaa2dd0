"""Connections to upstreams: whether an idle one can still take a request, and those that the proxy keeps for itself."""

from __future__ import annotations

import asyncio
import select
from collections import defaultdict
from dataclasses import dataclass

CONNECT_SECONDS = 2.0
_IDLE_SECONDS = 30.0
_KEPT = 64
"""Idle connections to one upstream."""

Address = tuple[str, int]


@dataclass(eq=False, kw_only=True)
class Connection:
    """An open connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Idle:
    """Connections that wait for their next request, for a while."""

    def __init__(self) -> None:
        self._waiting: defaultdict[Address, dict[Connection, asyncio.TimerHandle]] = defaultdict(dict)

    def take(self, address: Address) -> Connection | None:
        """The one that was used last, if it can still take a request."""
        waiting = self._waiting[address]
        while waiting:
            connection, timer = waiting.popitem()
            timer.cancel()
            if is_usable(connection.reader, connection.writer):
                return connection
            connection.writer.close()
        return None

    def give(self, address: Address, connection: Connection) -> None:
        """Keep it for the next request."""
        waiting = self._waiting[address]
        if len(waiting) >= _KEPT:
            connection.writer.close()
            return
        waiting[connection] = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._expire, address, connection)

    def _expire(self, address: Address, connection: Connection) -> None:
        del self._waiting[address][connection]
        connection.writer.close()


async def connect(address: Address) -> Connection:
    """A new connection. Raises OSError, TimeoutError among them."""
    async with asyncio.timeout(CONNECT_SECONDS):
        reader, writer = await asyncio.open_connection(*address)
    return Connection(reader=reader, writer=writer)


def is_usable(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether an idle connection can take a request: its other end has neither closed it nor said anything unasked.

    The kernel is asked, so this also knows what has arrived and was not yet looked at. Nothing was sent on a connection
    that is not usable, so whatever was meant for it may go another way.
    """
    descriptor = writer.get_extra_info("socket").fileno()
    if writer.is_closing() or descriptor < 0 or reader.at_eof() or reader._buffer:  # type: ignore[attr-defined]
        return False
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return not poll.poll(0)
