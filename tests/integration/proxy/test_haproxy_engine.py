"""The toolkit's engine for HAProxy against a real one with a companion, beyond what every engine has to do."""

import shutil
import socket
import subprocess
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from strangler_proxy.routes import bucket

from strangler.rollout.engines import haproxy_configuration
from strangler.rollout.engines.base import EngineError
from strangler.rollout.engines.haproxy import HaproxyEngine
from strangler.rollout.fleet import Fleet
from tests.conformance.case import Request, move, send, table
from tests.conformance.engines import LIVE, answers, stage
from tests.conformance.upstream import Says
from tests.places import in_memory

pytestmark = pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed")

DIRECT, THROUGH_A_COMPANION = "127.0.0.1", "127.0.0.1, 127.0.0.1"
READ = Request(target="/api/reviews/")
WRITE = Request(target="/api/reviews/", method="POST", body=b"x")
ELSEWHERE = Request(target="/other/", method="POST", body=b"x")


@pytest.fixture(scope="module")
def staged():
    with stage(LIVE["haproxy"]) as running:
        yield running


def way(staged, request):
    """Who received a request, and the addresses that it came through."""
    for upstream in staged.upstreams.values():
        upstream.heard.clear()
    assert send(staged, request).status == 200
    ((name, heard),) = [(name, heard) for name, each in staged.upstreams.items() for heard in each.heard]
    return name, heard.value("x-forwarded-for")


def by_hand(engine, command):
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(str(engine.directory / "admin.sock"))
        asked.sendall(f"{command}\n".encode())
        assert asked.recv(1000) == b"\n"


def of(key):
    return replace(READ, fields=(("Cookie", f"strangler_client={key}"),))


def test_what_is_settled_goes_straight_and_what_is_not_through_the_companion(staged):
    staged.begin(table(move("begun"), move("over", "/over/", owner="reviews", candidate="monolith", final=True)))
    assert way(staged, READ) == ("monolith", DIRECT)
    assert way(staged, WRITE) == ("monolith", THROUGH_A_COMPANION)
    assert way(staged, replace(WRITE, target="/over/")) == ("reviews", DIRECT)
    assert way(staged, ELSEWHERE) == ("monolith", DIRECT)


def test_of_a_canary_only_its_cohorts_go_through_the_companion(staged):
    staged.begin(table(move("canary", weight=2_500)))
    keys = [f"{number:022}" for number in range(40)]
    for key in keys:
        number = bucket(key)
        expected = ("reviews" if number < 2_500 else "monolith", THROUGH_A_COMPANION if number < 5_000 else DIRECT)
        assert way(staged, of(key)) == expected, number
    assert way(staged, READ)[1] == THROUGH_A_COMPANION  # it has no key yet


def test_while_writes_of_any_move_are_held_all_others_can_be_sent_again_too(staged):
    staged.begin(table(move("held"), move("held_too", "/too/")))
    for name in ("held", "held_too", "held"):
        staged.engine.hold(name, 20)
    assert way(staged, ELSEWHERE) == ("monolith", THROUGH_A_COMPANION)
    assert way(staged, replace(ELSEWHERE, method="GET", body=b"")) == ("monolith", DIRECT)
    assert staged.engine.observe().move("held") is not None
    staged.engine.release("held")
    assert way(staged, ELSEWHERE) == ("monolith", THROUGH_A_COMPANION)
    staged.engine.release("held_too")
    assert way(staged, ELSEWHERE) == ("monolith", DIRECT)


def test_the_next_table_ends_what_was_forgotten(staged):
    staged.begin(table(move("forgotten")))
    staged.engine.hold("forgotten", 20)
    staged.begin(table(move("forgotten", term=2)))
    assert way(staged, ELSEWHERE) == ("monolith", DIRECT)


def test_an_older_table_changes_nothing_here_or_at_the_companion(staged):
    staged.begin(table(move("newer", term=3)))
    before, (companion,) = staged.engine.observe(), staged.engine.companions
    with pytest.raises(EngineError, match=r'refused: move "newer" is at \(3, 0\) and was offered at \(2, 9\)'):
        staged.engine.apply(replace(before, moves=(move("newer", term=2, n=9),)))
    assert staged.engine.observe() == before == companion.observe()


def test_what_the_companion_refuses_changes_nothing_here(staged):
    staged.begin(table(move("ahead", term=1)))
    before, (companion,) = staged.engine.observe(), staged.engine.companions
    companion.apply(replace(before, moves=(move("ahead", term=4),)))
    with pytest.raises(EngineError, match="refused: move"):
        staged.engine.apply(replace(before, moves=(move("ahead", term=2),)))
    assert staged.engine.observe() == before
    companion.apply(replace(before, moves=()))


def test_a_companion_that_has_lost_its_table_is_told_of_and_given_it_again(staged):
    staged.begin(table(move("lost")))
    before, (companion,) = staged.engine.observe(), staged.engine.companions
    companion.apply(replace(before, moves=()))
    assert staged.engine.observe() == replace(before, moves=())
    Fleet(engines=[staged.engine]).refresh(before)
    assert staged.engine.observe() == before == companion.observe()


def test_an_upstream_without_an_address_is_refused_before_anything_changes(staged):
    staged.begin(table(move("named")))
    before = staged.engine.observe()
    nowhere = replace(before.upstream("reviews"), url="http://nowhere.invalid:80")
    with pytest.raises(EngineError, match=r'"nowhere.invalid" of upstream "reviews" has no address \(.*check the name'):
        staged.engine.apply(replace(before, upstreams=(before.upstream("monolith"), nowhere)))
    assert staged.engine.observe() == before


def test_a_map_that_somebody_changed_is_told_and_mended_by_the_next_table(staged):
    staged.begin(table(move("altered")))
    before = staged.engine.observe()
    routes = staged.engine.directory / "routes.map"
    assert staged.engine.observe() == before
    by_hand(staged.engine, f"set map {routes} @default d|127.0.0.1|1|0||")
    with pytest.raises(EngineError, match="was changed by somebody else and is no route table; send it anew"):
        staged.engine.observe()
    staged.engine.apply(before)
    assert staged.engine.observe() == before
    by_hand(staged.engine, f"clear map {routes}")
    assert send(staged, READ).status == 503
    with pytest.raises(EngineError, match="is no route table"):
        staged.engine.observe()
    staged.engine.apply(before)
    assert staged.engine.observe() == before


def test_another_version_of_a_move_has_other_cohorts(staged):
    staged.begin(table(move("counted", weight=1_000)))
    assert staged.engine.cohorts("counted", (1, 0)).candidate.requests == 0
    with pytest.raises(EngineError, match=r'has version \(1, 0\) of move "counted", not \(1, 1\)'):
        staged.engine.cohorts("counted", (1, 1))


def test_ten_thousand_routes_are_found_and_read_back(staged):
    patterns = tuple(f"/api/area{number}/<pk>/items/" for number in range(10_000))
    staged.begin(table(move("many", *patterns, owner="reviews", candidate="monolith", final=True)))
    assert staged.engine.observe().moves[0].routes == patterns
    assert way(staged, Request(target="/api/area9999/7/items/3/")) == ("reviews", DIRECT)
    assert way(staged, Request(target="/api/area9999/7/item/3/")) == ("monolith", DIRECT)


@pytest.fixture
def tmp_path():
    """A short one: the name of a socket has no more than 107 letters."""
    with tempfile.TemporaryDirectory(prefix="haproxy-", dir=in_memory()) as name:
        yield Path(name)


@pytest.fixture
def haproxy(tmp_path):
    """Starts HAProxy with what haproxyconf wrote, and with a file of the operator's own."""
    running = []
    directory = tmp_path / "haproxy"

    def start(own="", companions=(), monolith="http://127.0.0.1:9"):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        layout = haproxy_configuration.write(
            directory, bind=f"127.0.0.1:{port}", companions=companions, monolith=monolith
        )
        (tmp_path / "own.cfg").write_text(own)
        command = ["haproxy", "-q", "-f", layout.configuration, "-f", tmp_path / "own.cfg"]
        running.append(subprocess.Popen(command))
        engine = HaproxyEngine(directory=layout.directory)
        answers(engine)
        return engine, port, running[-1]

    yield start
    for process in running:
        process.terminate()
        process.wait(10)


def test_routes_outlive_a_restart(haproxy):
    engine, _, process = haproxy()
    applied = table(move("over", owner="reviews", candidate="monolith", final=True))
    real = replace(applied, upstreams=tuple(replace(each, url="http://127.0.0.1:9") for each in applied.upstreams))
    engine.apply(real)
    process.terminate()
    process.wait(10)
    assert haproxy()[0].observe() == real


def test_a_table_that_needs_the_companion_is_refused_where_none_was_configured(haproxy):
    engine, _, _ = haproxy()
    before = engine.observe()
    live = replace(
        before, upstreams=(*before.upstreams, replace(before.upstreams[0], name="reviews")), moves=(move("m"),)
    )
    with pytest.raises(EngineError, match=r'the route "/api/reviews/" of move "m" asks for \(writes that wait'):
        engine.apply(live)
    with pytest.raises(EngineError, match="was configured without the companion that the table needs; write"):
        HaproxyEngine(directory=engine.directory, companions=(engine,)).apply(live)
    assert engine.observe() == before


def test_an_operators_own_backend_takes_the_place_of_an_upstreams_address(haproxy, staged):
    other = staged.upstreams["orders"].port
    engine, port, _ = haproxy(own=f"backend to_reviews from strangler\n    server one 127.0.0.1:{other}\n")
    upstreams = tuple(replace(each, url="http://127.0.0.1:9") for each in table().upstreams)
    final = move("over", owner="reviews", candidate="monolith", final=True)
    engine.apply(replace(table(final), upstreams=upstreams))
    staged.upstreams["orders"].begin()
    assert send(replace(staged, port=port), READ).body.start == b"orders"


def test_no_haproxy_at_the_socket_is_one_sentence(tmp_path):
    engine = HaproxyEngine(directory=tmp_path)
    with pytest.raises(EngineError, match=r'no HAProxy answers at ".*/admin.sock" \(No such file'):
        engine.observe()
    with pytest.raises(EngineError, match="no HAProxy answers at"):
        engine.apply(replace(table(), upstreams=(replace(table().upstreams[0], url="http://127.0.0.1:1"),)))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (b"Name: HAProxy\nVersion: 2.4.22\n", r"is 2\.4; its maps are replaced in one step from 2\.6 on"),
        (b"hm\n", "no HAProxy"),
    ],
)
def test_an_haproxy_that_is_too_old_is_refused(tmp_path, said, sentence):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "admin.sock"))
        listening.listen()

        def say():
            asked, _ = listening.accept()
            with asked:
                asked.recv(100)
                asked.sendall(said)

        thread = threading.Thread(target=say)
        thread.start()
        one = replace(table(), upstreams=(replace(table().upstreams[0], url="http://127.0.0.1:1"),))
        with pytest.raises(EngineError, match=sentence):
            HaproxyEngine(directory=tmp_path).apply(one)
        thread.join(5)


def test_haproxyconf_writes_what_haproxy_takes_and_keeps_routes_that_are_there(tmp_path, settings, capsys):
    settings.STRANGLER = {"MONOLITH_UPSTREAM": "http://127.0.0.1:8001"}
    call_command("haproxyconf", tmp_path / "new", "--bind", ":8000", "--companion", "a:1", "--companion", "b:2")
    assert "haproxy -W -f" in capsys.readouterr().out
    text = (tmp_path / "new/haproxy.cfg").read_text()
    assert "bind :8000" in text
    (tmp_path / "new/routes.map").write_text("kept\n")
    call_command("haproxyconf", tmp_path / "new", "--companion", "127.0.0.1:1")
    assert (tmp_path / "new/routes.map").read_text() == "kept\n"
    subprocess.run(["haproxy", "-c", "-f", tmp_path / "new/haproxy.cfg"], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["x", "--bind", "8000"], '"8000" is no address for HAProxy; write'),
        (["x", "--companion", "a:1\nuser root"], "is no address for HAProxy"),
        (["x" * 100], "is too long for a socket; name a directory with a shorter one"),
        (["x", "--bind", ":8001"], r'"monolith" \(http://127.0.0.1:8001\) is HAProxy itself, which would ask itself'),
        (["file/x"], r'".*file.*" cannot be written \(Not a directory\); name another directory'),
    ],
)
def test_haproxyconf_writes_nothing_where_something_is_wrong(tmp_path, monkeypatch, settings, arguments, sentence):
    settings.STRANGLER = {"MONOLITH_UPSTREAM": "http://127.0.0.1:8001"}
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    with pytest.raises(CommandError, match=sentence):
        call_command("haproxyconf", *arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_service_that_hides_behind_a_refusal_is_unknown_to_clients(staged):
    staged.begin(table(move("hidden", owner="reviews", candidate="monolith", final=True)))
    refusal = (("Strangler-Refused", "move=hidden; term=1; replay=1"),)
    staged.upstreams["reviews"].script = lambda heard: Says(status=503, fields=refusal)
    answer = send(staged, WRITE)
    assert (answer.status, answer.value("strangler-refused")) == (503, None)
