"""The proxy as a process: settings from the environment, and what serves."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from strangler_proxy.addon import Strangler
from strangler_proxy.holds import Holds
from strangler_proxy.identity import Identities
from strangler_proxy.listener import listen
from strangler_proxy.routes import RouteTable, Upstream
from strangler_proxy.table import TableStore
from strangler_proxy.upstreams import Client


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
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    client = Client()
    addon = Strangler(
        store=store,
        holds=Holds(),
        identities=Identities(client, settings.token),
        client=client,
        token=settings.token,
    )
    try:
        listening = await listen(settings.host, settings.port, settings.monolith, addon.hooks)
    except OSError as error:
        raise OSError(
            f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); stop what listens there, or set "
            "STRANGLER_PROXY_LISTEN"
        ) from error
    await stopped.wait()
    listening.close()
