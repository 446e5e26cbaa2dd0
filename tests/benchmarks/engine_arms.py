"""Faster engines for the proxy's benchmark: each as it is, and as it routes by a table of the toolkit's."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proxy_arms import Running, patterns, running, table

from strangler.deploy.ports import free_port
from strangler.rollout.engines import haproxy_configuration
from strangler.rollout.engines.haproxy import HaproxyEngine

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
