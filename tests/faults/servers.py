"""Two servers of the suite's own, which it may kill."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg

from strangler.deploy.ports import free_port
from strangler.deploy.postgres import PostgresServer
from strangler.deploy.unprivileged import alive
from strangler.split import Side
from tests.places import in_memory

_SETTINGS = {"autovacuum": "off", "max_slot_wal_keep_size": "1GB"}


class Servers:
    """They go with the stack. They do all that makes a commit durable; in memory, where there is room for that."""

    def __init__(self, stack: ExitStack) -> None:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="strangler-faults-", dir=in_memory())))
        home.chmod(0o755)
        self.of: dict[Side, PostgresServer] = {}
        self.dsns: dict[Side, str] = {}
        for side in Side:
            server = PostgresServer(data=home / side.value, port=free_port(), settings=_SETTINGS)
            stack.callback(server.stop)
            server.start()
            self.of[side] = server
            self.dsns[side] = _cheap_user(server.dsn())

    def kill(self, side: Side) -> None:
        """End all processes of a server at once, as "kill -9" does. start() recovers it."""
        data = self.of[side].data
        first = int((data / "postmaster.pid").read_text(encoding="ascii").splitlines()[0])
        os.kill(first, signal.SIGSTOP)  # or it could have one more child than we find, which keeps its memory
        doomed = [first, *_children(first)]
        for pid in doomed:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while any(alive(pid) for pid in doomed):
            time.sleep(0.005)
        with suppress(ChildProcessError):
            os.waitpid(first, 0)  # while its number is taken, PostgreSQL believes that it runs

    def restart(self, side: Side) -> None:
        self.kill(side)
        self.of[side].start()


def _cheap_user(dsn: str) -> str:
    """The DSN of an administrator whose password costs the server little to check."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET scram_iterations = 1")
        connection.execute("CREATE ROLE faults SUPERUSER LOGIN PASSWORD 'faults'")
        connection.execute("CREATE DATABASE faults")
    where = psycopg.conninfo.conninfo_to_dict(dsn)
    return f"postgresql://faults:faults@{where['host']}:{where['port']}/faults"


def _children(pid: int) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(place.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(place.parent.name))
    return found
