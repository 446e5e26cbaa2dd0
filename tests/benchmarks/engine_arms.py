"""Faster engines for the proxy's benchmark: each as it is, and as it routes by a table of the toolkit's."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proxy_arms import ROOT, Running, patterns, running, table
from strangler_proxy.routes import RouteTable

from strangler.deploy.ports import free_port
from strangler.rollout.engines import haproxy_configuration
from strangler.rollout.engines.envoy import EnvoyEngine, prepare
from strangler.rollout.engines.envoy_config import RETRY_READS, cluster
from strangler.rollout.engines.haproxy import HaproxyEngine

_ENVOY = ROOT / ".venv/bin/envoy"
_PLAIN = """
defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
{retries}
frontend plain
    bind 127.0.0.1:{port}
    default_backend upstream
backend upstream
    server one 127.0.0.1:{upstream}
"""


_RETRIES = "    retries 1\n    retry-on empty-response"


@contextmanager
def plain_haproxy(folder: Path, upstream: int, *, retries: bool = False) -> Iterator[Running]:
    """HAProxy that sends everything to one server; with "retries" it keeps reads to send them again, as ours does."""
    port = free_port()
    configuration = folder / f"plain-{port}.cfg"
    configuration.write_text(_PLAIN.format(port=port, upstream=upstream, retries=_RETRIES if retries else ""))
    with running(["taskset", "-c", "0", "haproxy", "-q", "-f", configuration], port, {}) as server:
        yield server


@contextmanager
def haproxy(folder: Path, upstream: int, *, count: int = 10, first: str = "/moved/") -> Iterator[Running]:
    """HAProxy as the toolkit's engine, with that many routes of a final move; the load asks for the first."""
    port = free_port()
    with tempfile.TemporaryDirectory(dir=folder) as name:
        layout = haproxy_configuration.write(
            Path(name), bind=f"127.0.0.1:{port}", companions=[], monolith=f"http://127.0.0.1:{upstream}"
        )
        with running(["taskset", "-c", "0", "haproxy", "-q", "-f", layout.configuration], port, {}) as server:
            HaproxyEngine(directory=layout.directory).apply(table(upstream, patterns(count, first), final=True))
            yield server


@contextmanager
def plain_envoy(folder: Path, upstream: int, *, retries: bool = False) -> Iterator[Running]:
    """Envoy that sends everything to one server; with "retries" it repeats what had no answer, as the engine does."""
    port, route = free_port(), {"cluster": "one"}
    if retries:
        route["retry_policy"] = RETRY_READS
    kind = "envoy.extensions.filters"
    manager = {
        "@type": f"type.googleapis.com/{kind}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "plain",
        "route_config": {
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": route}]}]
        },
        "http_filters": [
            {"name": "router", "typed_config": {"@type": f"type.googleapis.com/{kind}.http.router.v3.Router"}}
        ],
    }
    listener = {
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    resources = {"listeners": [listener], "clusters": [cluster("one", [("127.0.0.1", upstream)])]}
    configuration = folder / f"plain-{port}.json"
    configuration.write_text(json.dumps({"static_resources": resources}))
    with running(_envoy(configuration), port, {}) as server:
        yield server


@contextmanager
def envoy(folder: Path, upstream: int, *, count: int = 10) -> Iterator[Running]:
    """Envoy as the toolkit's engine, with that many routes of a final move, and a companion that nothing needs."""
    port = free_port()
    with tempfile.TemporaryDirectory(dir=folder) as name:
        monolith = f"http://127.0.0.1:{upstream}"
        where = prepare(Path(name), listen=("127.0.0.1", port), companions=[("127.0.0.1", 9)], monolith=monolith)
        with running(_envoy(where), port, {}) as server:
            EnvoyEngine(directory=Path(name), companions=[_Nobody()]).apply(
                table(upstream, patterns(count), final=True)
            )
            yield server


class _Nobody:
    """A companion to which the load sends nothing."""

    name = "nobody"

    def apply(self, table: RouteTable) -> None:
        pass


def _envoy(configuration: Path) -> list[str | Path]:
    options = ["--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error"]
    return ["taskset", "-c", "0", _ENVOY, "-c", configuration, *options]
