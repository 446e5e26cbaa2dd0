"""Free ports on loopback, below the ephemeral range: inside it a connecting socket can meet itself."""

import random
import socket
from contextlib import closing

_FIRST, _LAST = 20_000, 32_000


def free_port() -> int:
    """A port that nobody listens on now. Several processes may ask at once: they begin at random places."""
    for port in random.sample(range(_FIRST, _LAST), 200):
        if is_free(port):
            return port
    raise OSError(f"no free port between {_FIRST} and {_LAST}; stop some servers")


def is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
