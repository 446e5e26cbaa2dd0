"""The proxy against stock mitmdump with a two-way addon: requests a second, and microseconds of CPU a request.

Needs wrk, nginx and taskset. The proxy has core 0 for itself; the upstream and the load share core 1.
The arms are interleaved, so that a noisy machine is noisy for all of them.

    PYTHONPATH=.:proxy .venv/bin/python tests/benchmarks/bench_proxy.py [seconds an arm]
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from strangler_proxy.routes import MoveRoutes, RouteTable, Upstream

from strangler.deploy.ports import free_port

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-proxy/bin"
ROUNDS = 3
STOCK_ADDON = """
def request(flow):
    if flow.request.path.startswith("/moved/"):
        flow.request.host, flow.request.port = "127.0.0.1", {port}
"""


def main() -> int:
    missing = [tool for tool in ("wrk", "nginx", "taskset") if shutil.which(tool) is None]
    if missing:
        sys.stderr.write(f"bench_proxy: {', '.join(missing)} not found; install it (apt-get install wrk nginx-light)\n")
        return 1
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        upstream = free_port()
        nginx = _nginx(folder, upstream)
        arms: dict[str, Callable[[], tuple[subprocess.Popen[bytes], int]]] = {
            "mitmdump, two-way addon": lambda: _mitmdump(folder, upstream),
            "ours, 10 routes": lambda: _ours(folder, upstream, 10),
            "ours, 10,000 routes": lambda: _ours(folder, upstream, 10_000),
        }
        figures: dict[str, list[tuple[float, float]]] = {arm: [] for arm in arms}
        try:
            for _ in range(ROUNDS):
                for arm, start in arms.items():
                    figures[arm].append(_measure(*start(), seconds))
        finally:
            nginx.terminate()
            nginx.wait(10)
    _render({arm: _medians(measured) for arm, measured in figures.items()})
    return 0


def _measure(process: subprocess.Popen[bytes], port: int, seconds: float) -> tuple[float, float]:
    """(requests a second, CPU microseconds a request); fails where a request failed."""
    url = f"http://127.0.0.1:{port}/moved/"
    try:
        _wait_for(url)
        _wrk(url, 1.0)  # warm
        before = _cpu_seconds(process.pid)
        rate, requests = _wrk(url, seconds)
        return rate, (_cpu_seconds(process.pid) - before) / requests * 1e6
    finally:
        process.terminate()
        process.wait(10)


def _wrk(url: str, seconds: float) -> tuple[float, int]:
    command = ["taskset", "-c", "1", "wrk", "-t1", "-c32", f"-d{seconds:g}s", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"requests failed, so the figures mean nothing:\n{said}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    requests = re.search(r"(\d+) requests in", said)
    assert rate is not None
    assert requests is not None
    return float(rate[1]), int(requests[1])


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _mitmdump(folder: Path, upstream: int) -> tuple[subprocess.Popen[bytes], int]:
    addon = folder / "addon.py"
    addon.write_text(STOCK_ADDON.format(port=upstream))
    port = free_port()
    command = [PYTHON / "mitmdump", "-q", "--mode", f"reverse:http://127.0.0.1:{upstream}", "-s", addon]
    options = ["--listen-host", "127.0.0.1", "--listen-port", str(port), "--set", f"confdir={folder}"]
    return _pinned([*command, *options], {}), port


def _ours(folder: Path, upstream: int, routes: int) -> tuple[subprocess.Popen[bytes], int]:
    port = free_port()
    state = folder / f"routes-{routes}.json"
    state.write_text(json.dumps(_table(upstream, routes).to_json()))
    environment = {
        "PYTHONPATH": str(ROOT / "proxy"),
        "STRANGLER_PROXY_LISTEN": f"127.0.0.1:{port}",
        "STRANGLER_PROXY_TOKEN": "bench",
        "STRANGLER_PROXY_STATE": str(state),
    }
    return _pinned([PYTHON / "python", "-m", "strangler_proxy"], environment), port


def _table(upstream: int, routes: int) -> RouteTable:
    url = f"http://127.0.0.1:{upstream}"
    patterns = ("/moved/", *(f"/api/area{number}/<pk>/items/" for number in range(routes - 1)))
    move = MoveRoutes(move="0001_bench", term=2, n=0, owner="service", candidate="monolith", weight=0, routes=patterns)
    upstreams = (Upstream(name="monolith", url=url), Upstream(name="service", url=url))
    return RouteTable(default="monolith", upstreams=upstreams, moves=(move,))


def _pinned(command: list[str | Path], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["taskset", "-c", "0", *command], env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    )


def _nginx(folder: Path, port: int) -> subprocess.Popen[bytes]:
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr crit;\n"
        "events { worker_connections 512; }\n"
        "http { access_log off; keepalive_requests 100000000; server { "
        f"listen 127.0.0.1:{port}; location / {{ return 200 'a small answer'; }} }} }}\n"
    )
    return subprocess.Popen(["taskset", "-c", "1", "nginx", "-c", configuration, "-p", folder])


def _wait_for(url: str) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers at {url}")


def _medians(measured: list[tuple[float, float]]) -> tuple[float, float]:
    rates, costs = zip(*measured, strict=True)
    return statistics.median(rates), statistics.median(costs)


def _render(medians: dict[str, tuple[float, float]]) -> None:
    stock_rate, stock_cost = medians["mitmdump, two-way addon"]
    write = sys.stdout.write
    write(f"{'arm':<26}{'requests/s':>12}{'CPU µs/request':>16}{'rate of stock':>15}\n")
    for arm, (rate, cost) in medians.items():
        write(f"{arm:<26}{rate:>12,.0f}{cost:>16,.0f}{rate / stock_rate:>15.2f}\n")
    rate, cost = medians["ours, 10,000 routes"]
    write(f"with 10,000 routes: {rate / stock_rate:.2f} times mitmdump's rate, {cost / stock_cost:.2f} of its CPU\n")


if __name__ == "__main__":
    sys.exit(main())
