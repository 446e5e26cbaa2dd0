"""What gunicorn, with its own settings, makes of requests that came through the proxy."""

import http.client
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from strangler.deploy.ports import free_port
from tests.conformance.engines import mitmproxy

APPLICATION = """
import json

def application(environ, start_response):
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]
"""


@contextmanager
def gunicorn(folder):
    (folder / "told.py").write_text(APPLICATION)
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--chdir", str(folder), "--bind", f"127.0.0.1:{port}", "told"]
    process = subprocess.Popen(command, env={"PATH": os.environ["PATH"]}, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def ports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gunicorn")
    with gunicorn(folder) as behind, mitmproxy(folder, f"http://127.0.0.1:{behind}") as live:
        until = time.monotonic() + 20
        while ask(live.port, "/")[0] != 200:
            assert time.monotonic() < until
            time.sleep(0.05)
        yield behind, live.port


def ask(port, target, fields=()):
    """The answer's status, and what the application was told."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("GET", target, skip_host=True)
    for field in (("Host", "shop"), *fields):
        connection.putheader(*field)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, json.loads(body) if answer.status == 200 else {}


def test_no_client_tells_gunicorn_where_the_path_begins(ports):
    behind, proxy = ports
    script = (("SCRIPT_NAME", "/api/orders"),)
    # This is what it is about: gunicorn believes its neighbours, and the proxy is one.
    assert ask(behind, "/api/orders/api/reviews/", script)[1]["PATH_INFO"] == "/api/reviews/"
    told = ask(proxy, "/api/orders/api/reviews/", script)[1]
    assert (told["SCRIPT_NAME"], told["PATH_INFO"]) == ("", "/api/orders/api/reviews/")


@pytest.mark.parametrize(
    "fields",
    [
        (("X-Forwarded-Ssl", "on"),),
        (("X-Forwarded-Protocol", "ssl"),),
        (("X-Forwarded-Proto", "https"),),
        (("X_Forwarded_Proto", "https"), ("Connection", "X-Forwarded-Proto")),
        (("PATH_INFO", "/admin/"), ("REMOTE_USER", "root"), ("REMOTE_ADDR", "203.0.113.9")),
        (("Strangler_Identity", "bob"), ("Strangler-Move", "x")),
    ],
)
def test_no_client_says_what_gunicorn_believes_of_the_proxy(ports, fields):
    _, proxy = ports
    status, told = ask(proxy, "/a/", fields)
    assert (status, told["PATH_INFO"], told["wsgi.url_scheme"]) == (200, "/a/", "http")
    names = {"HTTP_" + name.upper().replace("-", "_") for name, _ in fields} - {"HTTP_X_FORWARDED_PROTO"}
    assert not names & set(told)
    assert told["HTTP_X_FORWARDED_FOR"] == "127.0.0.1"
