"""Databases of any engine for plans, on servers that all these tests share."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest

from strangler.deploy.mariadb import MariaDBServer
from strangler.deploy.mysql import MySQLServer
from strangler.deploy.ports import free_port


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDBServer]:
    if shutil.which("mariadb-install-db") is None:
        pytest.skip("there is no MariaDB here; install the package mariadb-server")
    home = Path(tempfile.mkdtemp(prefix="plans-", dir=os.environ["STRANGLER_TEST_HOME"]))
    server = MariaDBServer(data=home / "mariadb", port=free_port(), settings={"debug-no-sync": ""})
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def mysql() -> Iterator[MariaDBServer]:
    if "STRANGLER_MYSQLD" not in os.environ:
        pytest.skip("there is no MySQL here; let .ci/mysqld fetch it, and set STRANGLER_MYSQLD")
    home = Path(tempfile.mkdtemp(prefix="plans-", dir=os.environ["STRANGLER_TEST_HOME"]))
    server = MySQLServer(
        data=home / "mysql",
        port=free_port(),
        settings={"innodb-flush-method": "nosync", "local-infile": "ON"},
    )
    try:
        server.start()
        yield server
    finally:
        server.stop()


_EXACT = {"mariadb": "utf8mb4_nopad_bin", "mysql": "utf8mb4_0900_bin"}


@contextmanager
def new_database(engine: str, request: pytest.FixtureRequest, directory: Path) -> Iterator[str]:
    """An empty database of an engine; its DSN."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    if engine == "sqlite":
        path = directory / f"{name}.sqlite3"
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        yield f"sqlite://{path}"
    elif engine in _EXACT:
        server = request.getfixturevalue(engine)
        # Their usual collations take some different texts for the same, which no other engine does.
        _ask(server.dsn(), f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE {_EXACT[engine]}")
        yield server.dsn(name)
        _ask(server.dsn(), f"DROP DATABASE {name}")
    else:
        server_dsn = os.environ["STRANGLER_TEST_TARGET"]
        with psycopg.connect(server_dsn, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
            yield server_dsn.rsplit("/", 1)[0] + "/" + name
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


def _ask(dsn: str, statement: str) -> None:
    where = urlsplit(dsn)
    connection = pymysql.connect(
        host=where.hostname, port=where.port or 0, user=where.username, password=where.password or ""
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
