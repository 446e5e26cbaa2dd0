"""The live engines, each started as operators start it.

Another one is a generator like `mitmproxy` below that starts it and gives a Live, and a line in LIVE.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
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
TOKEN = "operators"
_INTERPRETER = ROOT / ".venv-proxy/bin/python"
ENVOY = ROOT / ".venv/bin/envoy"


@dataclass(frozen=True, kw_only=True)
class Live:
    """A running engine: the toolkit's side of it, and where clients reach it."""

    engine: RoutingEngine
    port: int
    processes: Sequence[subprocess.Popen[bytes]]
    """The Python proxy's first, where there is one."""
    operators: str = ""
    """Where that is asked by operators."""


@dataclass(frozen=True, kw_only=True)
class Python:
    """The Python proxy to be started: the folder of its package, and the file that it logs to."""

    package: Path = ROOT / "proxy"
    log: Path = Path(os.devnull)


_PYTHON = Python()


@dataclass(frozen=True, kw_only=True)
class Companion:
    """A Python proxy that runs behind another engine, and the address at which that reaches it."""

    engine: MitmproxyEngine
    address: str
    process: subprocess.Popen[bytes]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How to start an engine, given an empty directory and the monolith's URL; "missing" says why it cannot be."""

    start: Callable[[Path, str, Python], AbstractContextManager[Live]]
    missing: Callable[[], str | None]


@contextmanager
def stage(kind: Kind) -> Iterator[Stage]:
    """An engine of the kind with its upstreams, for any number of cases."""
    upstreams = {name: RecordingUpstream(name) for name in NAMES if name != "nobody"}
    try:
        with (
            tempfile.TemporaryDirectory(prefix="conformance-", dir=in_memory()) as folder,
            kind.start(Path(folder), f"http://127.0.0.1:{upstreams['monolith'].port}", Python()) as live,
        ):
            yield Stage(engine=live.engine, port=live.port, upstreams=upstreams, nobody=free_port())
    finally:
        for upstream in upstreams.values():
            upstream.close()


@contextmanager
def mitmproxy(folder: Path, monolith: str, python: Python = _PYTHON) -> Iterator[Live]:
    """The Python proxy, alone."""
    port = free_port()
    with _python_proxy(folder, monolith, {"STRANGLER_PROXY_LISTEN": f"127.0.0.1:{port}"}, python) as process:
        engine = MitmproxyEngine(url=f"http://127.0.0.1:{port}", token=TOKEN)
        answers(engine)
        yield Live(engine=engine, port=port, processes=(process,), operators=engine.url)


@contextmanager
def haproxy_alone(folder: Path, monolith: str, python: Python = _PYTHON) -> Iterator[Live]:
    """HAProxy without a companion: what it carries by itself."""
    with _haproxy(folder, monolith, companion=None) as live:
        yield live


@contextmanager
def haproxy(folder: Path, monolith: str, python: Python = _PYTHON) -> Iterator[Live]:
    """HAProxy, with the Python proxy as its companion."""
    with companion(folder, monolith, python) as behind, _haproxy(folder, monolith, behind) as live:
        yield live


@contextmanager
def _haproxy(folder: Path, monolith: str, companion: Companion | None) -> Iterator[Live]:
    port = free_port()
    layout = haproxy_configuration.write(
        folder / "haproxy",
        bind=f"127.0.0.1:{port}",
        companions=[companion.address] if companion else [],
        monolith=monolith,
    )
    process = subprocess.Popen(["haproxy", "-q", "-f", layout.configuration])
    try:
        engine = HaproxyEngine(directory=layout.directory, companions=[companion.engine] if companion else [])
        answers(engine)
        yield _accompanied(engine, port, process, companion)
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def envoy(folder: Path, monolith: str, python: Python = _PYTHON) -> Iterator[Live]:
    """Envoy, with the Python proxy as its companion: alone it carries no routes."""
    port = free_port()
    with companion(folder, monolith, python) as behind:
        host, _, at = behind.address.partition(":")
        bootstrap = prepare(
            folder / "envoy",
            listen=("127.0.0.1", port),
            companions=[(host, int(at))],
            monolith=monolith,
        )
        command = [ENVOY, "-c", bootstrap, "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error"]
        process = subprocess.Popen(command)
        try:
            engine = EnvoyEngine(directory=folder / "envoy", companions=[behind.engine])
            answers(engine)
            yield _accompanied(engine, port, process, behind)
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def companion(folder: Path, monolith: str, python: Python = _PYTHON) -> Iterator[Companion]:
    """A Python proxy behind another engine."""
    port, operators = free_port(), free_port()
    settings = {
        "STRANGLER_PROXY_LISTEN": f"127.0.0.1:{port}",
        "STRANGLER_PROXY_OPERATORS": f"127.0.0.1:{operators}",
        "STRANGLER_PROXY_TRUSTED": "127.0.0.1",
    }
    with _python_proxy(folder, monolith, settings, python) as process:
        engine = MitmproxyEngine(url=f"http://127.0.0.1:{operators}", token=TOKEN)
        answers(engine)
        yield Companion(engine=engine, address=f"127.0.0.1:{port}", process=process)


def _accompanied(
    engine: RoutingEngine, port: int, process: subprocess.Popen[bytes], companion: Companion | None
) -> Live:
    if companion is None:
        return Live(engine=engine, port=port, processes=(process,))
    return Live(engine=engine, port=port, processes=(companion.process, process), operators=companion.engine.url)


@contextmanager
def _python_proxy(
    folder: Path, monolith: str, settings: Mapping[str, str], python: Python
) -> Iterator[subprocess.Popen[bytes]]:
    """The Python proxy's process, with these settings too."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(python.package),
        "STRANGLER_PROXY_TOKEN": TOKEN,
        "STRANGLER_PROXY_STATE": str(folder / "routes.json"),
        "STRANGLER_PROXY_MONOLITH": monolith,
    }
    command = [_INTERPRETER, "-m", "strangler_proxy"]
    with python.log.open("ab") as log:
        process = subprocess.Popen(command, env={**environment, **settings}, stdout=log, stderr=log)
        try:
            yield process
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
    return None if _INTERPRETER.exists() else f'"{_INTERPRETER}" is not there; run "make setup"'


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
