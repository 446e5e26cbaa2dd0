"""The listening socket, and mitmproxy's layers behind it: its core of protocols, without its master and addons."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from mitmproxy import version
from mitmproxy.proxy import mode_specs, server_hooks

from strangler_proxy.direct import DirectLayer, Hooks
from strangler_proxy.http1 import be_strict
from strangler_proxy.patience import Client, Clients
from strangler_proxy.streams import Streams
from strangler_proxy.trailers import leave_out

_KNOWN = "11.0.2"
# What the layers for HTTP and websockets ask of mitmproxy's options.
_OPTIONS = {
    "body_size_limit": None,
    "connection_strategy": "lazy",
    "keep_host_header": True,
    "rawtcp": True,
    "stream_large_bodies": None,
    "validate_inbound_headers": True,
    "websocket": False,
}


async def listen(
    host: str, port: int, monolith: str, hooks: Hooks, *, shared: bool = False, clients: Clients | None = None
) -> asyncio.Server:
    """Serve there, alone or beside other processes that share the port, among whom the kernel spreads the connections.

    Raises OSError where the port is taken, RuntimeError under another mitmproxy than the pinned one.
    """
    if version.VERSION != _KNOWN:
        raise RuntimeError(
            f"strangler_proxy was written for mitmproxy {_KNOWN}, not {version.VERSION}; install the pinned one"
        )
    be_strict()
    options = SimpleNamespace(**_OPTIONS)
    leave_out()
    mode = mode_specs.ReverseMode.parse(f"reverse:{monolith}")
    ourselves = {(name, port) for name in ("localhost", "127.0.0.1", "::1", host)}

    def refuse_ourselves(data: server_hooks.ServerConnectionHookData) -> None:
        if data.server.address in ourselves:
            data.server.error = "an upstream of the route table is the proxy itself"

    all_hooks = {**hooks, "server_connect": refuse_ourselves}

    all_of_them = clients or Clients()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = Client(reader, writer, options, mode, all_hooks, patience=all_of_them.patience)
        context = handler.layer.context
        context.server.address = mode.address
        handler.streams = Streams(context, handler)
        handler.layer = DirectLayer(handler.streams, all_hooks)
        await all_of_them.serve(handler)

    return await asyncio.start_server(serve, host, port, reuse_port=shared or None)
