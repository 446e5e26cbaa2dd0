"""Keys from the command to two real proxies and back: created, shown, rotated, revoked, counted."""

import csv
import json
import os
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import httpx
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from strangler_proxy.gateway import Authorize, Gateway, Keys, Plan, Policy
from strangler_proxy.routes import RouteTable, Upstream

from strangler.deploy.ports import free_port
from strangler.developers import wiring
from strangler.plans.wiring import fleet
from strangler.rollout.engines.base import EngineError

ROOT = Path(__file__).parents[3]
GATEWAY = Gateway(
    revision=1,
    policies=(Policy(path="/api/", authorize=Authorize(keys=Keys(scopes=("read",)))),),
    plans=(Plan(name="small", per_day=3),),
)


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class Proxies:
    """Two of them, each of which a test may stop and start."""

    def __init__(self, home, upstream):
        self.ports = [free_port(), free_port()]
        self.urls = [f"http://127.0.0.1:{port}" for port in self.ports]
        self.home, self.upstream = home, upstream
        self._running = {}

    def start(self, number):
        self._running[number] = subprocess.Popen(
            [ROOT / ".venv-proxy/bin/python", "-m", "strangler_proxy"],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT / "proxy"),
                "STRANGLER_PROXY_LISTEN": f"127.0.0.1:{self.ports[number]}",
                "STRANGLER_PROXY_TOKEN": "secret",
                "STRANGLER_PROXY_STATE": str(self.home / f"{number}.json"),
                "STRANGLER_PROXY_MONOLITH": self.upstream,
            },
            stdout=subprocess.DEVNULL,
        )
        eventually(lambda: self._answers(number))

    def stop(self, number):
        self._running[number].terminate()
        self._running.pop(number).wait(10)

    def stop_all(self):
        for number in list(self._running):
            self.stop(number)

    def ask(self, shown):
        """What each of them answers to a request with this key."""
        headers = {"X-API-Key": shown}
        return [httpx.get(url + "/api/", headers=headers, trust_env=False).status_code for url in self.urls]

    def _answers(self, number):
        try:
            httpx.get(self.urls[number], trust_env=False)
        except httpx.HTTPError:
            return False
        return True


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    home = tmp_path_factory.mktemp("apikeys")
    (home / "shop.sqlite3").touch()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    both = Proxies(home, f"http://127.0.0.1:{server.server_address[1]}")
    try:
        for number in range(2):
            both.start(number)
        yield both
    finally:
        both.stop_all()
        server.shutdown()
        server.server_close()


@pytest.fixture
def proxies(running, settings):
    settings.STRANGLER = {
        "SOURCE_DSN": f"sqlite://{running.home}/shop.sqlite3",
        "PROXIES": running.urls,
        "PROXY_TOKEN": "secret",
        "GATEWAY": "tests.integration.developers.test_apikeys.GATEWAY",
    }
    upstream = Upstream(name="m", url=running.upstream)
    fleet().apply(RouteTable(default="m", upstreams=(upstream,), gateway=GATEWAY))
    return running


def apikeys(*words):
    out = StringIO()
    call_command("apikeys", *words, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def eventually(condition):
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_developers_key_from_its_creation_to_its_end(proxies):
    shown = apikeys("create", "acme", "--scope", "read", "--route", "/api/")
    name = shown.partition(".")[0]
    assert proxies.ask(shown) == [200, 200]
    assert proxies.ask(apikeys("create", "other")) == [403, 403]  # without the scope
    new = apikeys("rotate", name)
    assert [proxies.ask(shown), proxies.ask(new)] == [[200, 200]] * 2
    newest = apikeys("rotate", name, "--hours", "0")
    assert [proxies.ask(shown), proxies.ask(new), proxies.ask(newest)] == [[401, 401], [401, 401], [200, 200]]
    apikeys("revoke", name)
    assert proxies.ask(newest) == [401, 401]
    (row,) = (row for row in json.loads(apikeys("list", "--json")) if row["id"] == name)
    assert (row["developer"], row["state"], row["scopes"], row["routes"]) == ("acme", "revoked", ["read"], ["/api/"])
    text = apikeys("list")
    assert f"{name}  revoked  acme  no plan  scopes: read  routes: /api/  created " in text
    assert not any(one.partition(".")[2] in text + str(row) for one in (shown, new, newest))


def test_a_proxy_that_was_away_learns_that_a_key_was_revoked_as_soon_as_it_is_back(proxies):
    shown = apikeys("create", "acme", "--scope", "read")
    proxies.stop(1)
    with pytest.raises(CommandError, match="it is done, but not all proxies know it"):
        apikeys("revoke", shown.partition(".")[0])
    proxies.start(1)
    assert proxies.ask(shown) == [401, 200]  # it goes by what it remembers
    stop = threading.Event()
    refresher = threading.Thread(target=wiring.publishing().refresh_until, args=(stop, 0.05))
    refresher.start()
    try:
        eventually(lambda: proxies.ask(shown) == [401, 401])
    finally:
        stop.set()
        refresher.join()


def test_usage_of_all_proxies_is_exported_and_nothing_is_counted_twice(proxies):
    shown = apikeys("create", "acme", "--scope", "read", "--plan", "small")
    name = shown.partition(".")[0]
    today = datetime.now(UTC).date()
    for _ in range(2):
        proxies.ask(shown)
    assert apikeys("usage") == apikeys("usage")
    proxies.stop(0)
    proxies.start(0)
    assert [proxies.ask(shown) for _ in range(2)] == [[200, 200], [429, 429]]  # each has a quota, since none is shared
    rows = json.loads(apikeys("usage", "--format", "json", "--since", str(today - timedelta(days=1))))
    told = [(row["plan"], row["requests"], row["refused"]) for row in rows if row["key"] == name]
    assert told == [("small", 8, 2)]
    exported = csv.DictReader(StringIO(apikeys("usage", "--format", "csv")))
    assert [row | {"day": ""} for row in exported if row["key"] == name] == [
        {
            **{"day": "", "key": name, "developer": "acme", "plan": "small"},
            **{"requests": "8", "refused": "2", "failed": "0"},
        }
    ]
    assert apikeys("usage", "--until", "2020-01-01", "--since", "2019-01-01") == "Nothing was used."
    assert "8 requests, 2 refused, 0 failed" in apikeys("usage")


def test_what_cannot_be_done_is_said_in_a_sentence(settings, tmp_path):
    (tmp_path / "shop.sqlite3").touch()
    settings.STRANGLER = {
        "SOURCE_DSN": f"sqlite://{tmp_path}/shop.sqlite3",
        "PROXIES": [f"http://127.0.0.1:{free_port()}"],
        "PROXY_TOKEN": "secret",
        "GATEWAY": "tests.integration.developers.test_apikeys.GATEWAY",
    }
    with pytest.raises(CommandError, match=r'the gateway has no plan "large" \(known: small\)'):
        apikeys("create", "acme", "--plan", "large")
    assert apikeys("list") == "There are no keys."
    with pytest.raises(CommandError, match='there is no key "key_1"'):
        apikeys("revoke", "key_1")
    out = StringIO()
    with pytest.raises(CommandError, match="not all proxies know it"):
        call_command("apikeys", "create", "acme", stdout=out)
    assert out.getvalue().startswith("key_")  # it is shown all the same: nobody could show it again
    with pytest.raises(EngineError, match="does not answer"):
        wiring.publishing().publish()
    assert apikeys("usage") == "Nothing was used."
