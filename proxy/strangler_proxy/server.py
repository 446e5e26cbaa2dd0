"""The proxy as a process: settings from the environment, mitmproxy's core, and our addon."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mitmproxy import options
from mitmproxy.addons import core, next_layer, proxyserver
from mitmproxy.master import Master

from strangler_proxy import repeat
from strangler_proxy.addon import Strangler
from strangler_proxy.holds import Holds
from strangler_proxy.identity import Identities
from strangler_proxy.routes import RouteTable, Upstream
from strangler_proxy.table import TableStore
from strangler_proxy.upstreams import new_client


class SettingsError(ValueError):
    """The environment does not say what the proxy needs."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """docs/contracts.md, "environment variables"."""

    host: str
    port: int
    token: str
    state: Path
    monolith: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Raises SettingsError naming the variable."""
        host, _, port = environment.get("STRANGLER_PROXY_LISTEN", "127.0.0.1:8000").rpartition(":")
        if not host or not port.isdigit():
            raise SettingsError("STRANGLER_PROXY_LISTEN is not of the form 127.0.0.1:8000")
        token = environment.get("STRANGLER_PROXY_TOKEN", "")
        if not token:
            raise SettingsError("STRANGLER_PROXY_TOKEN is not set; give the operators' token")
        state = environment.get("STRANGLER_PROXY_STATE", "")
        if not state:
            raise SettingsError("STRANGLER_PROXY_STATE is not set; give the path where the route table is remembered")
        return cls(
            host=host,
            port=int(port),
            token=token,
            state=Path(state),
            monolith=environment.get("STRANGLER_PROXY_MONOLITH", "http://127.0.0.1:8001"),
        )


def main() -> int:
    """Serve until SIGTERM or SIGINT; 1 with one sentence where that cannot begin."""
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(message)s")
    logging.getLogger("strangler_proxy.access").setLevel(logging.INFO)
    try:
        asyncio.run(serve(Settings.read(os.environ)))
    except (ValueError, OSError, RuntimeError) as error:
        sys.stderr.write(f"strangler_proxy: {error}\n")
        return 1
    return 0


async def serve(settings: Settings) -> None:
    """Run the proxy. Raises ValueError or OSError before it listens where something is wrong."""
    first = RouteTable(default="monolith", upstreams=(Upstream(name="monolith", url=settings.monolith),))
    store = TableStore.open(settings.state, first)
    _refuse_taken(settings)
    repeat.install()
    master = Master(options.Options(), asyncio.get_running_loop())
    # No more addons than needed: each hook of each addon costs every request.
    listener = proxyserver.Proxyserver()
    async with new_client() as client:
        addon = Strangler(
            store=store,
            holds=Holds(),
            identities=Identities(client, settings.token),
            client=client,
            token=settings.token,
        )
        master.addons.add(core.Core(), listener, next_layer.NextLayer(), addon)
        master.options.update(
            mode=[f"reverse:{settings.monolith}"],
            listen_host=settings.host,
            listen_port=settings.port,
            keep_host_header=True,
            connection_strategy="lazy",
            http2=False,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, master.shutdown)
        await master.run()


def _refuse_taken(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise OSError(
                f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); stop what listens there, or set "
                "STRANGLER_PROXY_LISTEN"
            ) from error
