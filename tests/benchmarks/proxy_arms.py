"""What the proxy's benchmark starts and reads: the proxies on core 0, the upstream and the load on core 1."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from strangler_proxy.gateway import Breaker, Bulkhead, Gateway, Policy, Resilience, Retry, Throttle
from strangler_proxy.routes import MoveRoutes, RouteTable, Upstream

from strangler.deploy.ports import free_port

ROOT = Path(__file__).parents[2]
_ENVIRONMENT = ROOT / ".venv-proxy/bin"
_STOCK_ADDON = """
def request(flow):
    if flow.request.path.startswith("/moved/"):
        flow.request.host, flow.request.port = "127.0.0.1", {port}
"""
_CLIENTS = Path(__file__).with_name("clients.lua")
_COOKIE = "Cookie: strangler_client=AAAAAAAAAAAAAAAAAAAAAA"
_POLICY = Policy(
    path="/",
    throttle=(Throttle(rate=1e6, burst=1_000_000),),
    resilience=Resilience(retry=Retry(), breaker=Breaker(), bulkhead=Bulkhead(most=100)),
    longest_body=1 << 20,
)
_TOKEN, _MOVE = "bench", "0001_bench"
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


@dataclass(frozen=True, kw_only=True)
class Running:
    """A server under load."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/moved/"

    @property
    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def shadows(self) -> tuple[int, int]:
        """(how many were compared, how many were dropped), of the proxy's own."""
        url = f"http://127.0.0.1:{self.port}/-/shadows/{_MOVE}"
        answer = httpx.get(url, headers={"Authorization": f"Bearer {_TOKEN}"}, trust_env=False)
        told = answer.json() if answer.is_success else {"compared": 0, "dropped": 0}
        return told["compared"], told["dropped"]

    @property
    def megabytes(self) -> float:
        """Resident memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass(frozen=True, kw_only=True)
class Load:
    """What wrk saw. Latencies are in seconds."""

    requests: int
    rate: float
    p50: float
    p99: float
    longest: float


def load(url: str, seconds: float, *, connections: int = 32, close: bool = False, many: bool = False) -> Load:
    """Ask as fast as the answers come; with "close" on a new connection each time. Fails where a request failed.

    The client has been there before: it bears the key that the proxy gave it. With "many" they are a thousand clients.
    """
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency"]
    command += ["-s", str(_CLIENTS)] if many else ["-H", _COOKIE]
    said = subprocess.run(
        [*command, *(["-H", "Connection: close"] if close else []), url], capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in said or "Socket errors" in said or " 0 requests in" in said:
        raise RuntimeError(f"requests failed or had no answer, so the figures mean nothing:\n{said}")
    return Load(
        requests=int(_found(r"(\d+) requests in", said)),
        rate=float(_found(r"Requests/sec:\s+([\d.]+)", said)),
        p50=_seconds(_found(r"\n\s+50%\s+(\S+)", said)),
        p99=_seconds(_found(r"\n\s+99%\s+(\S+)", said)),
        longest=_seconds(_found(r"Latency\s+\S+\s+\S+\s+(\S+)", said)),
    )


@contextmanager
def nginx(folder: Path, *, closes: bool = False) -> Iterator[Running]:
    """The upstream: a small answer, at once; where it "closes", on a connection for each."""
    port = free_port()
    configuration = folder / f"nginx-{port}.conf"
    keeps = "keepalive_timeout 0" if closes else "keepalive_requests 100000000"
    configuration.write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx-{port}.pid; error_log stderr crit;\n"
        "events { worker_connections 512; }\n"
        f"http {{ access_log off; {keeps}; server {{ "
        f"listen 127.0.0.1:{port}; location / {{ return 200 'a small answer'; }} }} }}\n"
    )
    with running(["taskset", "-c", "1", "nginx", "-c", configuration, "-p", folder], port, {}) as server:
        yield server


@contextmanager
def mitmdump(folder: Path, upstream: int) -> Iterator[Running]:
    """Stock mitmdump with an addon that knows two upstreams."""
    addon = folder / "addon.py"
    addon.write_text(_STOCK_ADDON.format(port=upstream))
    port = free_port()
    mode = ["--mode", f"reverse:http://127.0.0.1:{upstream}", "-s", addon]
    listen = ["--listen-host", "127.0.0.1", "--listen-port", str(port), "--set", f"confdir={folder}"]
    with running(["taskset", "-c", "0", _ENVIRONMENT / "mitmdump", "-q", *mode, *listen], port, {}) as server:
        yield server


@contextmanager
def ours(
    folder: Path,
    upstream: int,
    *,
    routes: int = 10,
    weight: int = 0,
    shadow: int = 0,
    policies: bool = False,
    flags: tuple[str, ...] = (),
) -> Iterator[Running]:
    """The proxy with that many routes. In a canary reads are kept until they are whole; shadows are asked beside."""
    port = free_port()
    state = folder / f"routes-{port}.json"
    given = table(upstream, patterns(routes), weight=weight, shadow=shadow, policies=policies)
    state.write_text(json.dumps(given.to_json()))
    environment = {
        "PYTHONPATH": str(ROOT / "proxy"),
        "STRANGLER_PROXY_LISTEN": f"127.0.0.1:{port}",
        "STRANGLER_PROXY_TOKEN": _TOKEN,
        "STRANGLER_PROXY_STATE": str(state),
    }
    command = ["taskset", "-c", "0", _ENVIRONMENT / "python", *flags, "-m", "strangler_proxy"]
    with running(command, port, environment) as server:
        yield server


def patterns(count: int, first: str = "/moved/") -> tuple[str, ...]:
    """So many patterns, of which the load asks for the first."""
    return (first, *(f"/api/area{number}/<pk>/items/" for number in range(count - 1)))


def table(
    upstream: int,
    routes: tuple[str, ...],
    *,
    weight: int = 0,
    shadow: int = 0,
    policies: bool = False,
    final: bool = False,
) -> RouteTable:
    """A move that was made, or of which a share of the reads is the candidate's; both sides are the one upstream."""
    url = f"http://127.0.0.1:{upstream}"
    sides = ("monolith", "service") if weight or shadow else ("service", "monolith")
    move = MoveRoutes(
        move=_MOVE,
        term=2,
        n=0,
        owner=sides[0],
        candidate=sides[1],
        weight=weight,
        shadow=shadow,
        routes=routes,
        final=final,
    )
    upstreams = (Upstream(name="monolith", url=url), Upstream(name="service", url=url))
    gateway = Gateway(revision=1, policies=(_POLICY,)) if policies else Gateway()
    return RouteTable(default="monolith", upstreams=upstreams, moves=(move,), gateway=gateway)


@contextmanager
def running(command: list[str | Path], port: int, environment: dict[str, str]) -> Iterator[Running]:
    """A server's process, once it answers."""
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    server = Running(process=process, port=port)
    try:
        _wait_for(server.url)
        yield server
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers at {url}")


def _found(pattern: str, said: str) -> str:
    match = re.search(pattern, said)
    if match is None:
        raise RuntimeError(f'wrk said nothing like "{pattern}":\n{said}')
    return match[1]


def _seconds(given: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", given).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]
