"""Whether upstreams' names stand for anything, asked before they are routed to."""

from __future__ import annotations

import asyncio
import socket

from strangler_proxy.routes import RouteTable


async def without_address(current: RouteTable, offered: RouteTable) -> str | None:
    """Of the upstreams that are new, or elsewhere than now, the first that has no address, in a sentence.

    The others are not asked for: while names are unknown for a moment, a move goes on between those that were known.
    """
    known = set(current.upstreams)
    for upstream in offered.upstreams:
        if upstream in known:
            continue
        host, port = upstream.address
        try:
            await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            return f'the host "{host}" of upstream "{upstream.name}" has no address ({error.strerror}); check the name'
    return None
