"""Two embedded PostgreSQL servers for the whole run, started once and stopped whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from strangler.deploy.ports import free_port
from strangler.deploy.postgres import PostgresServer
from strangler.split import Side
from tests.places import in_memory

# Nothing here outlives the run, so nothing has to reach the disk.
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "strangler.forgetful": "on"}
_SLOTS = {"max_slot_wal_keep_size": "1GB", "max_replication_slots": "20", "max_wal_size": "256MB"}
# Machines are noisy: properties are checked here, not times.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    # Workers inherit the controller's servers by its environment, and so does a run that somebody gives servers to.
    if hasattr(config, "workerinput") or config.option.collectonly or "STRANGLER_TEST_SOURCE" in os.environ:
        return
    # A run that is told to end tears its fixtures down, as after Ctrl-C; otherwise whole systems would stay.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    home = Path(tempfile.mkdtemp(prefix="strangler-tests-", dir=in_memory()))
    # Cleanups run last one first: a server that has lost its files can no longer be found and stopped.
    config.add_cleanup(partial(shutil.rmtree, home, ignore_errors=True))
    # Also for pytest's own directories, and for whatever a test starts.
    os.environ["TMPDIR"] = tempfile.tempdir = str(home)
    for name in ("SOURCE", "TARGET"):
        server = PostgresServer(data=home / name.lower(), port=free_port(), settings=_FORGETFUL | _SLOTS)
        config.add_cleanup(server.stop)
        server.start()
        ease_logins(server)
        os.environ[f"STRANGLER_TEST_{name}"] = server.dsn()
    os.environ["STRANGLER_TEST_HOME"] = str(home)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Orchard's tests use the first server."""
    from django.db import connection

    server = psycopg.conninfo.conninfo_to_dict(os.environ["STRANGLER_TEST_SOURCE"])
    connection.settings_dict.update(
        HOST=server["host"], PORT=server["port"], USER=server["user"], PASSWORD=server["password"]
    )


@pytest.fixture
def templates() -> Mapping[Side, str]:
    """The names of databases that the next two are copies of; empty ones where nothing is said."""
    return {}


@pytest.fixture
def source_dsn(templates: Mapping[Side, str]) -> Iterator[str]:
    """A new database on the first server."""
    with a_database(os.environ["STRANGLER_TEST_SOURCE"], templates.get(Side.SOURCE, "template1")) as dsn:
        yield dsn


@pytest.fixture
def target_dsn(templates: Mapping[Side, str]) -> Iterator[str]:
    """A new database on the second server."""
    with a_database(os.environ["STRANGLER_TEST_TARGET"], templates.get(Side.TARGET, "template1")) as dsn:
        yield dsn


@contextmanager
def a_database(server: str, template: str = "template1") -> Iterator[str]:
    """The URL of a new database on a server, a copy of another one; dropped at the end."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        # Copying its files is quicker than writing all of them into the log; PostgreSQL 14 knows nothing else.
        strategy = "STRATEGY file_copy" if admin.info.server_version >= 150_000 else ""
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} {strategy}")  # type: ignore[arg-type]
        yield server.rsplit("/", 1)[0] + "/" + name
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


def ease_logins(server: PostgresServer) -> None:
    """Let the administrator's password cost little to check: tests log in tens of thousands of times."""
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        if admin.info.server_version >= 160000:
            admin.execute("SET scram_iterations = 1")
        admin.execute(f"ALTER ROLE CURRENT_USER PASSWORD '{server.password}'")  # type: ignore[arg-type]
