"""A PostgreSQL of one's own."""

import os
import shutil
import socket
import subprocess
import sys

import psycopg
import pytest

from strangler.deploy.ports import free_port, is_free
from strangler.deploy.postgres import PostgresServer
from strangler.deploy.server import ServerError


@pytest.fixture
def server(tmp_path):
    made = PostgresServer(data=tmp_path / "data", port=free_port())
    yield made
    made.stop()


def test_it_starts_keeps_its_data_and_stops(server):
    server.start()
    server.start()
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    server.stop()
    server.stop()
    assert not server.running()
    server.start()
    with psycopg.connect(server.dsn()) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_what_was_committed_survives_a_crash(server):
    server.start()
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        server.kill()
    assert not server.running()
    server.start()
    with psycopg.connect(server.dsn()) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_a_number_that_belongs_to_another_server_by_now_is_left_alone(server, tmp_path):
    server.start()
    (tmp_path / "other").mkdir()
    shutil.copy(tmp_path / "data" / "postmaster.pid", tmp_path / "other")
    other = PostgresServer(data=tmp_path / "other", port=free_port())
    assert not other.running()
    other.stop()
    assert server.running()


def test_nobody_gets_in_without_the_password(server):
    server.start()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.dsn(password="guessed"))


def test_a_port_in_use_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=f"port {port} is in use"):
            PostgresServer(data=tmp_path / "data", port=port).start()
    assert not (tmp_path / "data").exists()


def test_an_initdb_that_fails_is_told_in_one_sentence(tmp_path):
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "initdb").write_text("#!/bin/sh\necho 'no space left' >&2\nexit 1\n")
    (fake / "initdb").chmod(0o755)
    with pytest.raises(ServerError, match=r"initdb could not make a server .*: no space left"):
        PostgresServer(data=tmp_path / "data", port=free_port(), binaries=fake).start()
    assert not (tmp_path / "data").exists()


def test_free_ports_are_below_the_ephemeral_range():
    port = free_port()
    assert 1024 < port < 32_768
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)


def test_a_command_runs_beside_a_server_of_its_own():
    check = "import os, psycopg; psycopg.connect(os.environ['POSTGRES_URL']); raise SystemExit(7)"
    command = [sys.executable, "-m", "strangler.deploy.postgres", "--", sys.executable, "-c", check]
    path = os.pathsep.join(path for path in sys.path if path)
    assert subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": path}).returncode == 7
