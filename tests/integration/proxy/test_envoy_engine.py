"""The engine against a real Envoy: what it refuses, and that the table before goes on. Routing is in conformance."""

import json
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer

import pytest
from django.core.management import CommandError, call_command
from strangler_proxy.routes import MoveRoutes, RouteTable, Upstream

from strangler.conf import Proxy
from strangler.deploy.ports import free_port
from strangler.plans.proxies import engine as engine_of
from strangler.rollout.engines.base import EngineError, NotCarried
from strangler.rollout.engines.envoy import EnvoyEngine, prepare
from tests.conformance.engines import ENVOY, answers
from tests.places import in_memory

MONOLITH = Upstream(name="monolith", url="http://127.0.0.1:8001")
REVIEWS = Upstream(name="reviews", url="http://127.0.0.1:8002")
MOVE = MoveRoutes(
    move="m", term=2, n=1, owner="reviews", candidate="monolith", weight=0, final=True, routes=("/api/reviews/",)
)


def table(*moves, reviews=REVIEWS):
    return RouteTable(default="monolith", upstreams=(MONOLITH, reviews), moves=moves)


class Companion:
    """A Python proxy that takes every table, in memory."""

    name = "companion"

    def __init__(self):
        self.table = table()
        self.away = False

    def apply(self, given):
        if self.away:
            raise EngineError("the companion is away")
        self.table = given

    def observe(self):
        return self.table


def prepared(directory, companions=(("127.0.0.1", 9),)):
    listen = ("127.0.0.1", free_port())
    return prepare(directory, listen=listen, companions=companions, monolith="http://127.0.0.1:8001")


@contextmanager
def running(directory):
    command = [ENVOY, "-c", directory / "bootstrap.json", "--concurrency", "1", "--use-dynamic-base-id"]
    with subprocess.Popen([*command, "--log-level", "off"]) as process:
        try:
            answers(EnvoyEngine(directory=directory))
            yield
        finally:
            process.terminate()


@pytest.fixture
def folder():
    """A directory with a short name, as a socket in it needs."""
    with tempfile.TemporaryDirectory(prefix="envoy-", dir=in_memory()) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def directory():
    with tempfile.TemporaryDirectory(prefix="envoy-", dir=in_memory()) as name:
        prepared(Path(name))
        with running(Path(name)):
            yield Path(name)


@pytest.fixture
def companion():
    return Companion()


@pytest.fixture
def engine(directory, companion):
    engine = EnvoyEngine(directory=directory, companions=[companion])
    engine.apply(table())
    engine.apply(table(MOVE))
    return engine


def test_what_is_in_force_is_told_and_not_what_was_written(engine, directory):
    assert engine.observe() == table(MOVE)
    before = (directory / "routes.json").read_text()
    (directory / "routes.json").write_text(before.replace("api/reviews", "api/others"))  # not moved there: not read
    assert engine.observe() == table(MOVE)


@pytest.mark.parametrize(
    ("given_table", "said"),
    [
        (table(replace(MOVE, n=0)), r'move "m" is at \(2, 1\) and was offered at \(2, 0\)'),
        (table(replace(MOVE, final=False)), 'move "m" is final and was offered as one that is not'),
        (
            table(replace(MOVE, n=2), reviews=replace(REVIEWS, url="http://no.such.host.invalid:80")),
            'the host "no.such.host.invalid" of upstream "reviews" has no address',
        ),
    ],
)
def test_a_bad_table_is_refused_and_the_one_before_goes_on(engine, companion, given_table, said):
    with pytest.raises(EngineError, match=said):
        engine.apply(given_table)
    assert engine.observe() == companion.table == table(MOVE)


def test_without_a_companion_what_is_in_transition_is_refused(engine, directory):
    with pytest.raises(NotCarried, match=r'the route "/api/others/" of move "other" asks for \(writes that wait'):
        EnvoyEngine(directory=directory).apply(
            table(replace(MOVE, move="other", final=False, routes=("/api/others/",)))
        )
    assert engine.observe() == table(MOVE)


def test_where_its_companion_does_not_take_the_table_envoy_is_not_told(engine, companion):
    companion.away = True
    with pytest.raises(EngineError, match="the companion is away"):
        engine.apply(table(replace(MOVE, n=2)))
    assert engine.observe() == table(MOVE)


def test_a_companion_that_is_behind_is_told_of(engine, companion):
    companion.table = table()
    assert engine.observe() == table()
    engine.apply(table(MOVE))
    assert engine.observe() == companion.table == table(MOVE)


def test_routes_that_envoy_itself_refuses_leave_the_old_ones_in_force_and_in_the_file(folder, companion):
    bootstrap = prepared(folder)
    given = json.loads(bootstrap.read_text())
    layer = given["layered_runtime"]["layers"][0]
    layer["static_layer"]["re2.max_program_size.error_level"] = 4_000
    bootstrap.write_text(json.dumps(given))
    engine = EnvoyEngine(directory=folder, companions=[companion])
    many = replace(MOVE, n=2, routes=tuple(f"/{sha256(bytes([number])).hexdigest()}/" for number in range(256)))
    with running(folder):
        engine.apply(table(MOVE))
        before = (folder / "routes.json").read_bytes()
        with pytest.raises(EngineError, match=r"did not take the table \(its log says why\); the one before goes on"):
            engine.apply(table(many))
        assert engine.observe() == table(MOVE)
        assert (folder / "routes.json").read_bytes() == before
        engine.apply(table(replace(MOVE, n=3)))
        assert engine.observe().versions == {"m": (2, 3)}


def test_a_table_outlives_its_envoy(folder, companion):
    prepared(folder)
    engine = EnvoyEngine(directory=folder, companions=[companion])
    with running(folder):
        engine.apply(table(MOVE))
    with pytest.raises(
        EngineError, match=r"does not answer \((ConnectionRefused|FileNotFound)Error\); check that it runs"
    ):
        engine.observe()
    prepared(folder)  # with the routes that are there
    with running(folder):
        assert EnvoyEngine(directory=folder, companions=[companion]).observe() == table(MOVE)


def test_one_that_was_prepared_without_the_companion_that_a_table_needs_says_so(folder, companion):
    prepared(folder, companions=())
    with running(folder):
        engine = EnvoyEngine(directory=folder, companions=[companion])
        with pytest.raises(EngineError, match="was prepared without the companion that the table needs"):
            engine.apply(table(replace(MOVE, final=False)))
        assert engine.observe().moves == ()


def test_a_directory_where_no_envoy_runs_is_told(folder):
    with pytest.raises(EngineError, match=r"does not answer \(FileNotFoundError\); check that it runs"):
        EnvoyEngine(directory=folder).observe()


def test_a_directory_whose_path_is_too_long_for_a_socket_is_refused(folder):
    with pytest.raises(EngineError, match="is too long for a socket in it; take one of fewer characters"):
        prepared(folder / ("x" * 100))
    assert list(folder.iterdir()) == []


def test_an_envoy_that_is_too_old_is_told_nothing(folder):
    version = {"version": {"major_number": 1, "minor_number": 39}}
    told = {"configs": [{"bootstrap": {"node": {"user_agent_build_version": version}, "static_resources": {}}}]}

    class Old(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def log_message(self, *said):
            pass

    prepared(folder)
    before = (folder / "routes.json").read_bytes()
    with UnixStreamServer(str(folder / "admin.sock"), Old) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(EngineError, match=r"is of version \(1, 39\); it must be \(1, 40\) or newer"):
            EnvoyEngine(directory=folder, companions=[Companion()]).apply(table(replace(MOVE, final=False)))
        server.shutdown()
    assert (folder / "routes.json").read_bytes() == before


def test_envoyconf_writes_what_envoy_takes_and_the_settings_find_it(folder, settings, capsys):
    settings.STRANGLER = {"MONOLITH_UPSTREAM": "http://127.0.0.1:8001"}
    call_command("envoyconf", folder, "--bind", f"127.0.0.1:{free_port()}", "--companion", "127.0.0.1:9")
    assert f"envoy -c {folder}/bootstrap.json" in capsys.readouterr().out
    with running(folder):
        assert engine_of(Proxy(engine="envoy", where=str(folder)), token="").observe().moves == ()
    with pytest.raises(CommandError, match="argument --bind: invalid address value: '8000'"):
        call_command("envoyconf", folder, "--bind", "8000")
