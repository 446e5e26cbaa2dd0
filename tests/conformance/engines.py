"""The live engines, each started as operators start it.

Another one is a generator like `mitmproxy` below that starts it and gives a Live, and a line in LIVE.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from strangler.deploy.ports import free_port
from strangler.rollout.engines import haproxy_configuration
from strangler.rollout.engines.base import EngineError, RoutingEngine
from strangler.rollout.engines.envoy import EnvoyEngine, prepare
from strangler.rollout.engines.haproxy import HaproxyEngine
from strangler.rollout.engines.mitmproxy import MitmproxyEngine
from tests.conformance.case import NAMES
from tests.conformance.stage import Stage
from tests.conformance.upstream import RecordingUpstream
from tests.places import in_memory

ROOT = Path(__file__).parents[2]
_TOKEN = "operators"
_PYTHON = ROOT / ".venv-proxy/bin/python"
ENVOY = ROOT / ".venv/bin/envoy"


@dataclass(frozen=True, kw_only=True)
class Live:
    """A running engine: the toolkit's side of it, and where clients reach it."""

    engine: RoutingEngine
    port: int


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How to start an engine, given an empty directory and the monolith's URL; "missing" says why it cannot be."""

    start: Callable[[Path, str], AbstractContextManager[Live]]
    missing: Callable[[], str | None]


@contextmanager
def stage(kind: Kind) -> Iterator[Stage]:
    """An engine of the kind with its upstreams, for any number of cases."""
    upstreams = {name: RecordingUpstream(name) for name in NAMES if name != "nobody"}
    try:
        with (
            tempfile.TemporaryDirectory(prefix="conformance-", dir=in_memory()) as folder,
            kind.start(Path(folder), f"http://127.0.0.1:{upstreams['monolith'].port}") as live,
        ):
            yield Stage(engine=live.engine, port=live.port, upstreams=upstreams, nobody=free_port())
    finally:
        for upstream in upstreams.values():
            upstream.close()


@contextmanager
def mitmproxy(folder: Path, monolith: str) -> Iterator[Live]:
    """The Python proxy, alone."""
    port = free_port()
    with python_proxy(folder, monolith, {"STRANGLER_PROXY_LISTEN": f"127.0.0.1:{port}"}):
        engine = MitmproxyEngine(url=f"http://127.0.0.1:{port}", token=_TOKEN)
        answers(engine)
        yield Live(engine=engine, port=port)


@contextmanager
def haproxy_alone(folder: Path, monolith: str) -> Iterator[Live]:
    """HAProxy without a companion: what it carries by itself."""
    with _haproxy(folder, monolith, companion=None) as live:
        yield live


@contextmanager
def haproxy(folder: Path, monolith: str) -> Iterator[Live]:
    """HAProxy, with the Python proxy as its companion."""
    with companion(folder, monolith) as behind, _haproxy(folder, monolith, behind) as live:
        yield live


@contextmanager
def _haproxy(folder: Path, monolith: str, companion: tuple[RoutingEngine, str] | None) -> Iterator[Live]:
    port = free_port()
    layout = haproxy_configuration.write(
        folder / "haproxy",
        bind=f"127.0.0.1:{port}",
        companions=[companion[1]] if companion else [],
        monolith=monolith,
    )
    process = subprocess.Popen(["haproxy", "-q", "-f", layout.configuration])
    try:
        engine = HaproxyEngine(directory=layout.directory, companions=[companion[0]] if companion else [])
        answers(engine)
        yield Live(engine=engine, port=port)
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def envoy(folder: Path, monolith: str) -> Iterator[Live]:
    """Envoy, with the Python proxy as its companion: alone it carries no routes."""
    port = free_port()
    with companion(folder, monolith) as (behind, address):
        host, _, at = address.partition(":")
        bootstrap = prepare(
            folder / "envoy",
            listen=("127.0.0.1", port),
            companions=[(host, int(at))],
            monolith=monolith,
        )
        command = [ENVOY, "-c", bootstrap, "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error"]
        process = subprocess.Popen(command)
        try:
            engine = EnvoyEngine(directory=folder / "envoy", companions=[behind])
            answers(engine)
            yield Live(engine=engine, port=port)
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def companion(folder: Path, monolith: str) -> Iterator[tuple[RoutingEngine, str]]:
    """A Python proxy behind another engine, and the address at which that reaches it."""
    port, operators = free_port(), free_port()
    settings = {
        "STRANGLER_PROXY_LISTEN": f"127.0.0.1:{port}",
        "STRANGLER_PROXY_OPERATORS": f"127.0.0.1:{operators}",
        "STRANGLER_PROXY_TRUSTED": "127.0.0.1",
    }
    with python_proxy(folder, monolith, settings):
        engine = MitmproxyEngine(url=f"http://127.0.0.1:{operators}", token=_TOKEN)
        answers(engine)
        yield engine, f"127.0.0.1:{port}"


@contextmanager
def python_proxy(folder: Path, monolith: str, settings: Mapping[str, str]) -> Iterator[None]:
    """The Python proxy's process, with these settings too."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "proxy"),
        "STRANGLER_PROXY_TOKEN": _TOKEN,
        "STRANGLER_PROXY_STATE": str(folder / "routes.json"),
        "STRANGLER_PROXY_MONOLITH": monolith,
    }
    command = [_PYTHON, "-m", "strangler_proxy"]
    process = subprocess.Popen(command, env={**environment, **settings}, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def answers(engine: RoutingEngine) -> None:
    """Wait until the engine does. Raises EngineError where that takes too long."""
    until = time.monotonic() + 20
    while True:
        try:
            engine.observe()
        except EngineError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def _no_python_proxy() -> str | None:
    return None if _PYTHON.exists() else f'"{_PYTHON}" is not there; run "make setup"'


def _no_haproxy() -> str | None:
    return _no_python_proxy() if shutil.which("haproxy") else "haproxy is not installed (apt-get install haproxy)"


def _no_envoy() -> str | None:
    return _no_python_proxy() or (None if ENVOY.exists() else f'"{ENVOY}" is not there; run "make setup"')


LIVE: Mapping[str, Kind] = {
    "mitmproxy": Kind(start=mitmproxy, missing=_no_python_proxy),
    "haproxy": Kind(start=haproxy, missing=_no_haproxy),
    "haproxy alone": Kind(start=haproxy_alone, missing=_no_haproxy),
    "envoy": Kind(start=envoy, missing=_no_envoy),
}
