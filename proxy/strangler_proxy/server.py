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

from strangler_proxy import metrics, telemetry
from strangler_proxy.addon import Strangler
from strangler_proxy.chaining import chain
from strangler_proxy.connections import Address
from strangler_proxy.documents import Documents
from strangler_proxy.holds import Holds
from strangler_proxy.identity import Identities
from strangler_proxy.keys import KeyStore
from strangler_proxy.listener import listen
from strangler_proxy.operating_documents import DocumentOperators
from strangler_proxy.operating_keys import KeyOperators
from strangler_proxy.remembering import keep
from strangler_proxy.routes import RouteTable, Upstream
from strangler_proxy.shared import Shared
from strangler_proxy.steps.caching import Caching
from strangler_proxy.steps.windows import OwnWindows
from strangler_proxy.table import TableStore
from strangler_proxy.trust import Trusted
from strangler_proxy.upstreams import Client
from strangler_proxy.usage import Usage


class SettingsError(ValueError):
    """The environment does not say what the proxy needs."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """docs/contracts.md, "environment variables"."""

    listen: Address
    operators: Address | None
    token: str
    state: Path
    monolith: str
    trusted: Trusted
    shared: str
    """URL of a Valkey; empty for none."""
    cache: int
    """Bytes."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Raises SettingsError naming the variable."""
        listen = _address("STRANGLER_PROXY_LISTEN", environment.get("STRANGLER_PROXY_LISTEN", "127.0.0.1:8000"))
        given = environment.get("STRANGLER_PROXY_OPERATORS", "")
        operators = _address("STRANGLER_PROXY_OPERATORS", given) if given else None
        if operators is not None and operators[1] == listen[1]:
            raise SettingsError("STRANGLER_PROXY_OPERATORS has the port of STRANGLER_PROXY_LISTEN; give another one")
        token = environment.get("STRANGLER_PROXY_TOKEN", "")
        if not token:
            raise SettingsError("STRANGLER_PROXY_TOKEN is not set; give the operators' token")
        state = environment.get("STRANGLER_PROXY_STATE", "")
        if not state:
            raise SettingsError("STRANGLER_PROXY_STATE is not set; give the path where the route table is remembered")
        try:
            trusted = Trusted.parse(environment.get("STRANGLER_PROXY_TRUSTED", ""))
        except ValueError as error:
            raise SettingsError(f"STRANGLER_PROXY_TRUSTED: {error}") from error
        return cls(
            listen=listen,
            operators=operators,
            token=token,
            state=Path(state),
            monolith=environment.get("STRANGLER_PROXY_MONOLITH", "http://127.0.0.1:8001"),
            trusted=trusted,
            shared=environment.get("STRANGLER_PROXY_SHARED", ""),
            cache=_number("STRANGLER_PROXY_CACHE", environment.get("STRANGLER_PROXY_CACHE", "64")) << 20,
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
    keys = KeyStore.open(_beside(settings.state, "keys"))
    documents = Documents.open(_beside(settings.state, "openapi"))
    usage = Usage.open(_beside(settings.state, "usage"))
    quotas = OwnWindows.open(_beside(settings.state, "quotas"))
    stopped = asyncio.Event()
    metrics.TASKS.set_function(lambda: len(asyncio.all_tasks()))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    tracing = telemetry.tracing(os.environ)
    client = Client()
    identities = Identities(client, settings.token)
    cache = Caching(most=settings.cache)
    addon = Strangler(
        store=store,
        holds=Holds(),
        identities=identities,
        client=client,
        chain=chain(
            store=store,
            identities=identities,
            keys=keys,
            usage=usage,
            quotas=quotas,
            cache=cache,
            documents=documents,
            shared=_shared(settings.shared),
        ),
        cache=cache,
        keys=KeyOperators(keys=keys, usage=usage),
        documents=DocumentOperators(documents=documents, table=lambda: store.table),
        token=settings.token,
        operators_port=settings.operators[1] if settings.operators else None,
        trusted=settings.trusted,
        tracing=tracing,
    )
    servers = []
    if settings.operators is not None:
        servers.append(await _listen("STRANGLER_PROXY_OPERATORS", settings.operators, settings, addon))
    servers.append(
        await _listen("STRANGLER_PROXY_LISTEN", settings.listen, settings, addon, shared=settings.operators is not None)
    )
    await asyncio.gather(
        keep(_beside(settings.state, "usage"), usage.changed, stopped),
        keep(_beside(settings.state, "quotas"), quotas.changed, stopped),
    )
    for server in servers:
        server.close()
    if tracing is not None:
        tracing.close()


def _beside(state: Path, what: str) -> Path:
    return state.with_name(f"{state.name}.{what}")


def _shared(url: str) -> Shared | None:
    try:
        return Shared(url) if url else None
    except ValueError as error:
        raise SettingsError(f"STRANGLER_PROXY_SHARED: {error}") from error


async def _listen(
    variable: str, address: Address, settings: Settings, addon: Strangler, *, shared: bool = False
) -> asyncio.Server:
    try:
        return await listen(*address, settings.monolith, addon.hooks, shared=shared)
    except OSError as error:
        raise OSError(
            f"cannot listen on {address[0]}:{address[1]} ({error.strerror}); stop what listens there, or set {variable}"
        ) from error


def _number(variable: str, given: str) -> int:
    if not given.isdecimal() or not given.isascii():
        raise SettingsError(f"{variable} is not a whole number from 0")
    return int(given)


def _address(variable: str, given: str) -> Address:
    host, _, port = given.rpartition(":")
    if not host or not port.isdigit():
        raise SettingsError(f"{variable} is not of the form 127.0.0.1:8000")
    return host, int(port)
